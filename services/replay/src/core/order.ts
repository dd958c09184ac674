import { keepNewest } from '@countersign/kernel'
import type { SessionRecord } from './session-record.ts'
import { atOnce, eachOf, sorted, type Steps } from './steps.ts'

/** The part of a record that decides its place in the order. */
export type Placed = Pick<SessionRecord, 'position' | 'causation'> & {
  readonly message: { readonly at: number; readonly type: string }
}

/**
 * The order in which records are told: by time; but a record that follows from another comes after it, and the events
 * of a topic stay in their order, whatever the clocks of the writers say.
 */
export type Order = {
  /** The moment at which each record is told, by its place. */
  readonly moments: Map<string, number>
  /** The last moment of each topic. */
  readonly latest: Map<string, number>
}

export const newOrder = (): Order => ({
  // bound: MOMENTS_MAX
  moments: new Map(),
  // bound: one per topic
  latest: new Map(),
})

/** Gives records that came together their moments; a record that has one keeps it. */
export const placed = (order: Order, records: readonly Placed[]): void =>
  atOnce(placing(order, records))

/** The same in steps. */
export function* placing(order: Order, records: readonly Placed[]): Steps<void> {
  const { moments, latest } = order
  // bound: one per record
  const fresh = new Map<string, Placed>()
  yield* eachOf(records, (record) => fresh.set(placeOf(record.position), record))
  const byOffset = yield* sorted(records, (a, b) => a.position.offset - b.position.offset)
  yield* eachOf(byOffset, (record) => {
    const { topic } = record.position
    const place = placeOf(record.position)
    if (moments.has(place)) return
    const moment = Math.max(momentOf(record, 0), latest.get(topic) ?? 0)
    latest.set(topic, moment)
    moments.set(place, moment)
    keepNewest(moments, MOMENTS_MAX)
  })

  function momentOf({ causation, message }: Placed, depth: number): number {
    const own: number = message.at
    if (causation === null || depth > CAUSES_MAX) return own
    const known = moments.get(placeOf(causation))
    if (known !== undefined) return Math.max(own, known)
    const cause = fresh.get(placeOf(causation))
    return cause === undefined ? own : Math.max(own, momentOf(cause, depth + 1))
  }
}

/** The records in the order in which they are told. */
export const inOrder = <R extends Placed>(order: Order, records: readonly R[]): R[] =>
  atOnce(ordering(order, records))

/** The same in steps. */
export function* ordering<R extends Placed>({ moments }: Order, records: readonly R[]): Steps<R[]> {
  // bound: one per record
  const timed: { readonly record: R; readonly moment: number }[] = []
  yield* eachOf(records, (record) => {
    const moment = moments.get(placeOf(record.position)) ?? record.message.at
    timed.push({ record, moment })
  })
  const all = yield* sorted(
    timed,
    (a, b) =>
      a.moment - b.moment ||
      stepOf(a.record) - stepOf(b.record) ||
      a.record.position.offset - b.record.position.offset,
  )
  return all.map(({ record }) => record)
}

/** The place of a record among those of its session: its topic and offset. */
export const placeOf = ({ topic, offset }: { topic: string; offset: number }): string =>
  `${topic}/${offset}`

/** The order of records with the same time: the topic that comes first in the life of a request is first. */
const stepOf = ({ position, message }: Placed): number =>
  message.type === 'RequestReleased' || message.type === 'RequestCompleted'
    ? STEPS.length
    : STEPS.indexOf(position.topic)

const STEPS = ['sessions', 'credentials', 'masking', 'decisions', 'approvals', 'transcript']
const CAUSES_MAX = 16
/** Above the bound the first moments are dropped: a record that follows from those is told by its own time. */
const MOMENTS_MAX = 200_000
