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
  /** The hashes of the records since the last event that could not be read; some may be events of the chain. */
  readonly unread: Set<string>
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
  // bound: UNREAD_MAX
  unread: new Set(),
})

/** True if an event with this id was read before. A repeat by id is harmless: the first one counts. */
export const isRepeat = (chain: Chain, id: string): boolean => chain.recent.has(id)

/** Moves the chain on by one event; says what is wrong with it, or null. */
export function linked(chain: Chain, link: Link): string | null {
  if (isRepeat(chain, link.id)) return null
  const skipped = link.sequence - chain.next
  const wrong =
    skipped < 0 || skipped > chain.unread.size
      ? `event ${link.id} is number ${link.sequence} where ${chain.next} should follow`
      : !(skipped === 0 ? link.previousHash === chain.head : chain.unread.has(link.previousHash))
        ? `event ${link.id} (number ${link.sequence}) does not cite the hash of the event before it`
        : null
  // Goes on from the event that is there, so that one break is reported once.
  chain.next = link.sequence + 1
  chain.head = hashOf(link.type, link.fingerprint, link.value)
  chain.unread.clear()
  chain.recent.add(link.id)
  keepNewest(chain.recent, RECENT_MAX)
  return wrong
}

/** Takes note of a record that cannot be read: the next event may follow from it. */
export function noted(chain: Chain, hash: string): void {
  chain.unread.add(hash)
  keepNewest(chain.unread, UNREAD_MAX)
}

const UNREAD_MAX = 1_000
/** The most ids that are kept: repeats come from appends that were under way together, which cannot be more. */
const RECENT_MAX = 10_000
