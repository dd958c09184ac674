import { hashOf } from '@countersign/contracts'
import { keepNewest } from '@countersign/kernel'

/** One hash chain of a session, as far as it was read: control (`sessions`) or transcript. */
export type Chain = {
  /** The place of the next event. */
  next: number
  /** The hash of the last event; empty before the first. */
  head: string
  /** The ends of the ids of the last events, each at the place of its number, to recognize a repeat. */
  recent: Float64Array
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
  recent: new Float64Array(),
  // bound: UNREAD_MAX
  unread: new Set(),
})

/** True if this event was read before. A repeat by id is harmless: the first one counts. */
export const isRepeat = (
  { recent }: Chain,
  { id, sequence }: Pick<Link, 'id' | 'sequence'>,
): boolean => recent[sequence % recent.length] === endOf(id)

/** Moves the chain on by one event; says what is wrong with it, or null. */
export function linked(chain: Chain, link: Link): string | null {
  if (isRepeat(chain, link)) return null
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
  remember(chain, link)
  return wrong
}

/** Takes note of a record that cannot be read: the next event may follow from it. */
export function noted(chain: Chain, hash: string): void {
  chain.unread.add(hash)
  keepNewest(chain.unread, UNREAD_MAX)
}

const UNREAD_MAX = 1_000
/** Most sessions are short, so the room for ids grows with the chain. */
function remember(chain: Chain, { id, sequence }: Link): void {
  const { recent } = chain
  if (sequence >= recent.length && recent.length < RECENT_MAX) {
    chain.recent = new Float64Array(Math.max(RECENT_MIN, 2 * recent.length))
    chain.recent.set(recent)
  }
  chain.recent[sequence % chain.recent.length] = endOf(id)
}

/** The last 48 bits of an id, which are random or of a hash; 0 is no id. */
const endOf = (id: string): number => Number.parseInt(id.slice(-12), 16) + 1

const RECENT_MIN = 16
/**
 * The most ids that are kept, 32 KiB a chain: repeats come from appends that were under way together, and a proxy has
 * about 1,000 of a session, and a pipeline of 2,000, under way.
 */
export const RECENT_MAX = 4_096
