import { idTimeMs, type RequestId } from '@countersign/kernel'

/**
 * Requests of one session that ended, so that records of other topics that are read later change nothing. Method: the
 * newest ends are remembered one by one. Of the others only the latest time is known: ids begin with it (UUIDv7), so a
 * request of an earlier millisecond that is not remembered is over, and may have run. Known limit: more ends than are
 * remembered within one millisecond.
 */
export type EndedRequests = {
  /** Adds an end and returns the one that counts: the first of a request, unless only a later one says that it ran. */
  add(id: RequestId, hasRun: boolean): End
  /** The end of a request; null while it has not ended. */
  of(id: RequestId): End | null
}

/** An end of a request: its place among all ends of the session, and whether the target was asked. */
export type End = { readonly place: number; readonly hasRun: boolean }

export function endedRequests(endsMax: number = ENDS_MAX): EndedRequests {
  // bound: ENDS_MAX
  const newest = new Map<RequestId, End>()
  let places = 0
  let forgotten = { timeMs: Number.NEGATIVE_INFINITY, place: -1 }
  return {
    of: (id) =>
      newest.get(id) ??
      (idTimeMs(id) < forgotten.timeMs ? { place: forgotten.place, hasRun: true } : null),
    add(id, hasRun) {
      const known = newest.get(id)
      if (known !== undefined && (known.hasRun || !hasRun)) return known
      const end = { place: places++, hasRun }
      newest.delete(id)
      newest.set(id, end)
      const [oldest] = newest
      if (newest.size > endsMax && oldest !== undefined) {
        newest.delete(oldest[0])
        forgotten = {
          timeMs: Math.max(forgotten.timeMs, idTimeMs(oldest[0])),
          place: oldest[1].place,
        }
      }
      return end
    },
  }
}

const ENDS_MAX = 256
