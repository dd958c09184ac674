import { Problem } from '@countersign/kernel'

/** Lets callers work at the same time, with one limit for all and one for each caller; others wait in their order. */
export type Turns = {
  /** A turn, when there is one; rejects when too many wait already, and when the caller has left. */
  taken(caller: string, gone: AbortSignal): Promise<Disposable>
}

export type TurnsOptions = {
  readonly atOnceMax: number
  /** The most turns of one caller at the same time. */
  readonly ownMax: number
  readonly ownWaitingMax: number
}

export function turnsOf(options: TurnsOptions): Turns {
  const { atOnceMax, ownMax, ownWaitingMax } = options
  // bound: one per turn that is taken, of which there are atOnceMax
  let working: readonly Turn[] = []
  // bound: WAITING_MAX
  let waiting: readonly Turn[] = []
  return {
    async taken(caller, gone) {
      gone.throwIfAborted()
      const isFull = waiting.length >= WAITING_MAX || countOf(waiting, caller) >= ownWaitingMax
      if (isFull && !mayBegin({ caller })) throw tooMany()
      const wait = Promise.withResolvers<void>()
      const turn: Turn = { caller, begin: wait.resolve }
      const taken = {
        [Symbol.dispose]() {
          waiting = waiting.filter((one) => one !== turn)
          working = working.filter((one) => one !== turn)
          goOn()
        },
      }
      gone.addEventListener('abort', () => wait.resolve(), { once: true })
      waiting = [...waiting, turn]
      goOn()
      await wait.promise
      if (gone.aborted) taken[Symbol.dispose]()
      gone.throwIfAborted()
      return taken
    },
  }

  function goOn(): void {
    for (const turn of waiting) {
      if (!mayBegin(turn)) continue
      waiting = waiting.filter((one) => one !== turn)
      working = [...working, turn]
      turn.begin()
    }
  }

  function mayBegin({ caller }: Pick<Turn, 'caller'>): boolean {
    return working.length < atOnceMax && countOf(working, caller) < ownMax
  }
}

type Turn = { readonly caller: string; begin(): void }

const countOf = (turns: readonly Turn[], wanted: string): number =>
  turns.filter(({ caller }) => caller === wanted).length

const tooMany = (): Problem =>
  new Problem('CS_REPLAY_BUSY', 'too many read sessions at this time', {
    retriable: true,
    hint: 'Try again when another of your calls is over.',
  })

/** The most callers that wait in all. */
const WAITING_MAX = 100
