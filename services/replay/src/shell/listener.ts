import type { ServerResponse } from 'node:http'
import { after, Problem } from '@countersign/kernel'
import { firstEvent, type Net, turns } from '@countersign/runtime'

/** The receiver of an answer, as long as the connection is there. */
export type Listener = {
  /** Aborted when the receiver has left. */
  readonly gone: AbortSignal
  /** Sends no faster than it is taken, and lets others have their turn of the loop; rejects when they have left. */
  write(text: string): Promise<void>
  /** Lets others have their turn of the loop where it was kept long; rejects when they have left. */
  rest(): Promise<void>
  /** Ends the answer; resolves when all of it was taken, and rejects when they have left before. */
  end(): Promise<void>
  /** Ends the connection at this time, whatever is under way, unless it is disposed before. */
  leaveAt(ms: number): Disposable
}

/** A listener that takes nothing for so long is taken for gone. */
export function listenerOf(
  response: ServerResponse,
  net: Net,
  takenMsMax = TAKEN_MS_MAX,
): Listener {
  const left = new AbortController()
  const gone = left.signal
  const leave = (): void =>
    left.abort(new Problem('CS_BAD_REQUEST', 'the connection was closed before the answer'))
  const cut = (): void => void response.destroy()
  if (response.destroyed) leave()
  else response.once('close', net.guarded('listener', leave))
  const turn = turns(() => performance.now())
  return {
    gone,
    rest,
    async write(text) {
      await rest()
      if (response.write(text)) return
      await taken('drain')
      gone.throwIfAborted()
    },
    async end() {
      await rest()
      response.end()
      if (!response.writableFinished) await taken('finish')
      if (!response.writableFinished) gone.throwIfAborted()
    },
    leaveAt: (ms) => after(ms - Date.now(), cut),
  }

  async function rest(): Promise<void> {
    await turn.next()
    gone.throwIfAborted()
  }

  async function taken(event: 'drain' | 'finish'): Promise<void> {
    using _limit = after(takenMsMax, cut)
    await firstEvent(response, event, 'close')
  }
}

const TAKEN_MS_MAX = 60_000
