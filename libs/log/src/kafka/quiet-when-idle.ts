import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

/**
 * kafkajs 2.2.4 looks a thousand times a second whether a request waits, on every connection and for ever (its issues
 * 1556, 1704 and 1751): that takes an eighth of a core for eight idle services, and each look delays other work. A
 * request waits only while the broker throttles us or too many are in flight, so here it looks only then.
 */
export function quietWhenIdle(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return
    const throttledMs = this.throttledUntil - Date.now()
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      },
      throttledMs > 0 ? throttledMs : CHECK_MS,
    )
  }
}

/** The time between two looks, as in kafkajs. */
const CHECK_MS = 10
