import type { AnyMessage } from '@countersign/contracts'
import type { Position } from '@countersign/log/records'

/**
 * What the control chain of a session says about its transcript, compared with the transcript that was read. The two
 * topics overtake each other: a citation waits until the transcript is as long as it says.
 */
export type Citations = {
  /** The hash of the transcript at each length, as far back as a citation can still come for it. */
  readonly heads: Map<number, string>
  /** In the order of their counts, which never go back. */
  readonly waiting: Set<Citation>
  /** How long the transcript is. */
  length: number
  /** How long it is at its end; null until the end is known. */
  lengthMax: number | null
  /** Some could not be compared, and that is on record. */
  isIncomplete: boolean
}

/** One event of the control chain says how long the transcript is, and the hash of its last event. */
export type Citation = {
  readonly by: 'RequestCompleted' | 'SessionEnded'
  readonly position: Position
  readonly count: number
  readonly head: string
}

/** What is wrong, and the record that it is said about. */
export type Finding = { readonly position: Position; readonly reason: string }

export const noCitations = (): Citations => ({
  // bound: HEADS_MAX
  heads: new Map([[0, '']]),
  // bound: CITATIONS_WAITING_MAX
  waiting: new Set(),
  length: 0,
  lengthMax: null,
  isIncomplete: false,
})

/** What the message says about the transcript, or null. */
export function citationIn(message: AnyMessage, position: Position): Citation | null {
  if (message.type !== 'RequestCompleted' && message.type !== 'SessionEnded') return null
  const { type, transcriptCount, transcriptHead } = message
  return { by: type, position, count: transcriptCount, head: transcriptHead }
}

/** Compares the citation now, or when the transcript is long enough. */
export function cited(citations: Citations, citation: Citation): Finding[] {
  const { by, position, count } = citation
  if (by === 'SessionEnded') citations.lengthMax = count
  if (count > citations.length) {
    const { waiting } = citations
    waiting.add(citation)
    const [oldest] = waiting
    if (waiting.size <= CITATIONS_WAITING_MAX || oldest === undefined) return []
    waiting.delete(oldest)
    return incomplete(citations, oldest, 'too many wait for their transcript')
  }
  const findings = compared(citations, citation)
  if (findings.length > 0 || by === 'RequestCompleted' || citations.length === count)
    return findings
  const reason = `${by} says ${count} transcript events, but there are ${citations.length}`
  return [{ position, reason }]
}

/** Compares what waits for this event of the transcript, which is `length` events long with it. */
export function recorded(
  citations: Citations,
  event: { readonly position: Position; readonly length: number; readonly hash: string },
): Finding[] {
  const { position, length, hash } = event
  const { heads, waiting, lengthMax } = citations
  if (!heads.has(length)) heads.set(length, hash)
  citations.length = Math.max(citations.length, length)
  const findings: Finding[] = []
  for (const citation of waiting) {
    if (citation.count > citations.length) break
    waiting.delete(citation)
    findings.push(...compared(citations, citation))
  }
  const [oldest] = heads.keys()
  if (heads.size > HEADS_MAX && oldest !== undefined) heads.delete(oldest)
  if (lengthMax !== null && length > lengthMax) {
    const reason = `transcript event number ${length - 1} came where SessionEnded says ${lengthMax} in all`
    findings.push({ position, reason })
  }
  return findings
}

/** What is wrong with a citation that nothing more can come for. */
export function unanswered({ length }: Citations, { by, position, count }: Citation): Finding {
  return { position, reason: `${by} cites ${count} transcript events, but only ${length} came` }
}

function compared(citations: Citations, citation: Citation): Finding[] {
  const { heads } = citations
  const { by, position, count, head } = citation
  const found = heads.get(count)
  const [oldest = 0] = heads.keys()
  if (found === undefined && count < oldest && heads.size >= HEADS_MAX)
    return incomplete(citations, citation, 'its transcript came too long before it')
  // Citations never go back, so that what is before this one is needed no more.
  for (const length of heads.keys()) {
    if (length >= count) break
    heads.delete(length)
  }
  if (found === head) return []
  const what = found === undefined ? 'but the last of them is not there' : 'with another hash'
  return [{ position, reason: `${by} cites ${count} transcript events, ${what}` }]
}

/** What is above a bound is not compared. It is said once of a session, so that nobody takes its chains for whole. */
function incomplete(
  citations: Citations,
  { by, position, count }: Citation,
  why: string,
): Finding[] {
  if (citations.isIncomplete) return []
  citations.isIncomplete = true
  const reason = `${by} cites ${count} transcript events, and this and others like it are not compared: ${why}`
  return [{ position, reason }]
}

/** The events of a transcript since the last citation that came. */
export const HEADS_MAX = 200_000
/** The citations of a session whose transcript is behind them. */
export const CITATIONS_WAITING_MAX = 200_000
