import { hashOf } from '@countersign/contracts'
import type { LogRecord, Understood } from '@countersign/log/records'
import { type Chain, isRepeat, linked, newChain, noted } from './chain.ts'
import {
  type Citations,
  citationIn,
  cited,
  type Finding,
  noCitations,
  recorded,
  unanswered,
} from './citations.ts'
import { type Ending, evolved, notEnded } from './ending.ts'

/**
 * The two hash chains of a session as far as they were read, the citations of one in the other, and the session's end.
 */
export type SessionChains = {
  readonly control: Chain
  readonly transcript: Chain
  readonly citations: Citations
  ending: Ending
}

export const newSessionChains = (): SessionChains => ({
  control: newChain(),
  transcript: newChain(),
  citations: noCitations(),
  ending: notEnded,
})

/** Moves the chains on by one record; returns what is wrong with them. A repeat is harmless, wherever it stands. */
export function followed(chains: SessionChains, record: Understood): Finding[] {
  const { position, message } = record
  if (!('previousHash' in message)) {
    chains.ending = evolved(chains.ending, message, position)
    return []
  }
  const isTranscript = message.type === 'TranscriptRecorded'
  const chain = isTranscript ? chains.transcript : chains.control
  if (isRepeat(chain, { id: record.id, sequence: message.sequence })) return []
  chains.ending = evolved(chains.ending, message, position)
  const { type, sequence, previousHash } = message
  const first = chain.next
  const reason = linked(chain, { ...record, type, sequence, previousHash })
  const citation = citationIn(message, position)
  const findings = isTranscript
    ? recorded(chains.citations, {
        position,
        length: chain.next,
        hash: chain.head,
        // Where the chain is whole, the events between could only not be read.
        unread: reason === null ? chain.next - 1 - first : 0,
      })
    : citation === null
      ? []
      : cited(chains.citations, citation)
  if (reason === null) return findings
  // For each record only one fault is reported.
  return [{ position, reason }, ...findings.filter((each) => each.position !== position)]
}

/**
 * Takes note of a record that cannot be read. It has a rejection of its own, so that what follows from it is no fault;
 * and it may be what would otherwise be missing.
 */
export function unread(
  { control, transcript }: SessionChains,
  { position, headers, value }: Extract<LogRecord, { status: 'unreadable' }>,
): void {
  const chain = CHAINS.get(position.topic)
  if (chain === undefined) return
  const type = headers['ce_type']?.split('.').at(-1) ?? ''
  const fingerprint = headers['ce_dataschema']?.split(':')[1] ?? ''
  noted(chain === 'control' ? control : transcript, hashOf(type, fingerprint, value))
}

/** The chain that stands in a topic. */
const CHAINS: ReadonlyMap<string, 'control' | 'transcript'> = new Map([
  ['sessions', 'control'],
  ['transcript', 'transcript'],
])

/** The faults of citations and ends whose records are not there, when nothing more can come. */
export function missingIn({ control, transcript, citations, ending }: SessionChains): Finding[] {
  const lengthMax = citations.length + transcript.unread.size
  const missing = [...citations.waiting]
    .filter(({ count }) => count > lengthMax)
    .map((citation) => unanswered(citations, citation))
  if (ending.unseenEnd === null || control.unread.size > 0) return missing
  const reason = 'CredentialRevoked says that the session ended, but its end is not there'
  return [...missing, { position: ending.unseenEnd, reason }]
}

/** Forgets what is missing, so that it is reported only once. */
export function forgive(chains: SessionChains): void {
  chains.citations.waiting.clear()
  chains.ending = { ...chains.ending, unseenEnd: null }
}
