import type { ServerFrame } from '@countersign/postgres-wire'
import type { Answered } from './seen.ts'

/**
 * The end of an answer that the agent does not get yet. While a privilege is raised, what the statement made is given to its
 * owner first, so that whoever hears of the end can use it.
 */
export type Withheld = {
  readonly frames: Buffer[]
  bytes: number
  /** The request that it belongs to. */
  answered: Answered | null
}

export const nothingWithheld = (): Withheld => ({ frames: [], bytes: 0, answered: null })

/** Keeps a frame back where it may be the end of the answer. False: it has to go out, behind what was kept back so far. */
export function keepsBack(
  withheld: Withheld,
  frame: ServerFrame,
  answered: () => Answered | null,
): boolean {
  const mayBeEnd = withheld.frames.length > 0 ? BEHIND : ENDS
  if (!mayBeEnd.has(frame.tag) || withheld.bytes > WITHHELD_BYTES_MAX) return false
  if (withheld.frames.length === 0) withheld.answered = answered()
  withheld.frames.push(frame.raw)
  withheld.bytes += frame.raw.length
  return true
}

/** Takes what was kept back. */
export function takeWithheld(withheld: Withheld): Buffer[] {
  withheld.bytes = 0
  return withheld.frames.splice(0)
}

/** Frames that end an answer: CommandComplete and EmptyQueryResponse. */
const ENDS: ReadonlySet<string> = new Set(['C', 'I'])
/** Frames behind them where nothing more ran: another end, ReadyForQuery, answers to Parse, Bind, Close and Describe. */
const BEHIND: ReadonlySet<string> = new Set(['C', 'I', 'Z', '1', '2', '3', 't', 'n'])
const WITHHELD_BYTES_MAX = 64 * 1024
