import { hashOf } from '@countersign/contracts'
import { keepNewest } from '@countersign/kernel'

/** One hash chain of a session, as far as it was read: control (`sessions`) or transcript. */
export type Chain = {
  /** The place of the next event. */
  next: number
  /** The hash of the last event; empty before the first. */
  head: string
  /** The ids of the last events, to recognize a repeat. */
  readonly recent: Set<string>
}

/** An event with its links, and the raw bytes that its hash is over. */
export type Link = {
  readonly id: string
  readonly type: string
  readonly fingerprint: string
  readonly value: Uint8Array
  readonly sequence: number
  readonly previousHash: string
}

export const newChain = (): Chain => ({
  next: 0,
  head: '',
  // bound: RECENT_MAX
  recent: new Set(),
})

/** True if an event with this id was read before. A repeat by id is harmless: the first one counts. */
export const isRepeat = (chain: Chain, id: string): boolean => chain.recent.has(id)

/** Moves the chain on by one event; says what is wrong with it, or null. */
export function linked(chain: Chain, link: Link): string | null {
  if (isRepeat(chain, link.id)) return null
  const wrong =
    link.sequence !== chain.next
      ? `event ${link.id} is number ${link.sequence} where ${chain.next} should follow`
      : link.previousHash !== chain.head
        ? `event ${link.id} (number ${link.sequence}) does not cite the hash of the event before it`
        : null
  // Goes on from the event that is there, so that one break is reported once.
  chain.next = link.sequence + 1
  chain.head = hashOf(link.type, link.fingerprint, link.value)
  chain.recent.add(link.id)
  keepNewest(chain.recent, RECENT_MAX)
  return wrong
}

/** The most ids that are kept: repeats come from appends that were under way together, which cannot be more. */
const RECENT_MAX = 10_000
