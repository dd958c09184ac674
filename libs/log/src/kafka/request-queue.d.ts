/** What the queue of a connection of kafkajs has that is mended in `quiet-when-idle.ts`; kafkajs does not type it. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  class RequestQueue {
    throttledUntil: number
    throttleCheckTimeoutId: NodeJS.Timeout | null
    pending: unknown[]
    checkPendingRequests(): void
    scheduleCheckPendingRequests(): void
  }
  export = RequestQueue
}
