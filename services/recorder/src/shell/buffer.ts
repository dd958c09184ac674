import { appendFileSync, createReadStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Content,
  type Envelope,
  envelopeBytes,
  envelopesIn,
  typeIn,
} from '@countersign/archive'

/** The records of one session until it is archived: in memory and, above a bound, in a part file for each topic. */
export type SessionBuffer = {
  /** Adds a record; false when it is in the buffer already. The records of a topic come in order. */
  add(envelope: Envelope): boolean
  /** All records, topic after topic in the order of their names. Nothing may be added while they are gone through. */
  content(): Pick<Content, 'count' | 'types' | 'envelopes'>
  /** The approximate number of bytes in memory. */
  bytes(): number
  /** Moves the records in memory to the part files. */
  spill(): void
  discard(): void
}

export function sessionBuffer(folder: string, sessionId: string, bytesMax: number): SessionBuffer {
  // bound: one per topic
  const topics = new Map<string, TopicBuffer>()
  // bound: one per type of message
  const types = new Set<string>()
  let bytes = 0
  let count = 0
  return {
    add(envelope) {
      const { topic } = envelope
      const buffer = topics.get(topic) ?? { last: -1, records: [], spilled: 0 }
      topics.set(topic, buffer)
      if (envelope.offset <= buffer.last) return false
      buffer.last = envelope.offset
      buffer.records.push(envelope)
      types.add(typeIn(envelope))
      count++
      bytes += bufferedBytes(envelope)
      if (bytes > bytesMax) spill()
      return true
    },
    bytes: () => bytes,
    spill,
    content: () => ({ count, types: new Set(types), envelopes: envelopes() }),
    discard() {
      for (const [topic, { spilled }] of topics)
        if (spilled > 0) rmSync(partOf(topic), { force: true })
      topics.clear()
    },
  }

  async function* envelopes(): AsyncGenerator<Envelope> {
    for (const topic of [...topics.keys()].sort()) {
      const buffer = topics.get(topic)
      if (buffer === undefined) continue
      const { spilled, records } = buffer
      if (spilled > 0) yield* envelopesIn(createReadStream(partOf(topic), { end: spilled - 1 }))
      yield* records
    }
  }

  function spill(): void {
    for (const [topic, buffer] of topics) {
      const chunk = Buffer.concat(buffer.records.map(envelopeBytes))
      if (chunk.length > 0) appendFileSync(partOf(topic), chunk)
      buffer.spilled += chunk.length
      buffer.records = []
    }
    bytes = 0
  }

  function partOf(topic: string): string {
    return join(folder, `${sessionId}.${topic}.part`)
  }
}

type TopicBuffer = {
  /** The offset of the last record. */
  last: number
  records: Envelope[]
  /** The number of bytes in the part file. */
  spilled: number
}

/** The approximate memory that a record takes. */
export const bufferedBytes = ({ value }: { readonly value: Uint8Array }): number =>
  value.length + OVERHEAD_BYTES

const OVERHEAD_BYTES = 800
