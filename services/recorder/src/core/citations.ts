import type { AnyMessage } from '@countersign/contracts'
import { keepNewest } from '@countersign/kernel'
import type { Position } from '@countersign/log/records'

/**
 * The citations of a transcript in the control chain of its session, compared with the transcript that was read. The
 * two topics overtake each other: a citation waits until the transcript is as long as it says.
 */
export type Citations = {
  /**
   * The hash of the transcript at each length, as far back as a citation can still come for it; null where its last
   * event could not be read.
   */
  readonly heads: Map<number, string | null>
  /** The citations whose transcript is not read yet, in the order of their counts, which never go back. */
  readonly waiting: Set<Citation>
  /** The number of transcript events read so far. */
  length: number
  /** The number of transcript events at the end; null until the end is known. */
  lengthMax: number | null
  /** Citations of less were not kept to be compared. */
  comparedFrom: number
  /** Some citations could not be compared, and that is on record. */
  isIncomplete: boolean
}

/** An event of the control chain that says how long the transcript is, and the hash of its last event. */
export type Citation = {
  readonly by: 'RequestCompleted' | 'SessionEnded'
  readonly position: Position
  readonly count: number
  readonly head: string
}

/** A fault in the chains: the reason, and the record that is at fault. */
export type Finding = { readonly position: Position; readonly reason: string }

export const noCitations = (): Citations => ({
  // bound: HEADS_MAX
  heads: new Map([[0, '']]),
  // bound: CITATIONS_WAITING_MAX
  waiting: new Set(),
  length: 0,
  lengthMax: null,
  comparedFrom: 0,
  isIncomplete: false,
})

/** The citation that a message makes; null for a message that says nothing about the transcript. */
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

/** Compares the citations that wait for this event of the transcript, which is `length` events long with it. */
export function recorded(
  citations: Citations,
  event: {
    readonly position: Position
    readonly length: number
    readonly hash: string
    /** The number of events before it that could not be read. */
    readonly unread: number
  },
): Finding[] {
  const { position, length, hash, unread } = event
  const { heads, waiting, lengthMax } = citations
  for (let earlier = length - unread; earlier < length; earlier++) heads.set(earlier, null)
  if (!heads.has(length)) heads.set(length, hash)
  citations.length = Math.max(citations.length, length)
  const findings: Finding[] = []
  for (const citation of waiting) {
    if (citation.count > citations.length) break
    waiting.delete(citation)
    findings.push(...compared(citations, citation))
  }
  keepNewest(heads, HEADS_MAX)
  if (lengthMax !== null && length > lengthMax) {
    const reason = `transcript event number ${length - 1} came where SessionEnded says ${lengthMax} in all`
    findings.push({ position, reason })
  }
  return findings
}

/** Forgets all that waits to be compared, to make room: of the citations that it concerns, the first is reported. */
export function forgotten(citations: Citations): Finding[] {
  const { heads, waiting } = citations
  keepNewest(heads, 1)
  citations.comparedFrom = citations.length
  const [oldest] = waiting
  waiting.clear()
  if (oldest === undefined) return []
  return incomplete(citations, oldest, 'too many of all sessions wait for their transcript')
}

/** The approximate memory of what waits to be compared. */
export const bytesOf = ({ heads, waiting }: Citations): number =>
  heads.size * HEAD_BYTES + waiting.size * CITATION_BYTES

/** The fault of a citation for which no more transcript can come. */
export function unanswered({ length }: Citations, { by, position, count }: Citation): Finding {
  return { position, reason: `${by} cites ${count} transcript events, but only ${length} came` }
}

function compared(citations: Citations, citation: Citation): Finding[] {
  const { heads, comparedFrom } = citations
  const { by, position, count, head } = citation
  const found = heads.get(count)
  const [oldest = 0] = heads.keys()
  if (found === undefined && (count < comparedFrom || (count < oldest && heads.size >= HEADS_MAX)))
    return incomplete(citations, citation, 'its transcript came too long before it')
  // Citations never go back, so the hashes before this one are not needed any more.
  for (const length of heads.keys()) {
    if (length >= count) break
    heads.delete(length)
  }
  if (found === head || found === null) return []
  const what = found === undefined ? 'but the last of them is not there' : 'with another hash'
  return [{ position, reason: `${by} cites ${count} transcript events, ${what}` }]
}

/** Above a bound citations are not compared. This is reported once, so that nobody takes the chains for whole. */
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

/** The approximate memory of a hash, and of a citation. */
const HEAD_BYTES = 130
export const CITATION_BYTES = 190
/** The most events of a transcript since the last citation that came. */
export const HEADS_MAX = 200_000
/** The most citations of a session that wait for their transcript. */
export const CITATIONS_WAITING_MAX = 200_000
