// What kafkajs has inside and does not type; only what is mended in `quiet-when-idle.ts` and `lean-encoder.ts`.

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

declare module 'kafkajs/src/protocol/encoder.js' {
  class Encoder {
    static nextPowerOfTwo: (value: number) => number
    buf: Buffer
    offset: number
    ensureAvailable(length: number): void
    writeVarInt(value: number): this
    writeUVarInt(value: number): this
    writeVarIntBytes(value: Buffer): this
    writeEncoder(value: Encoder): this
    readonly buffer: Buffer
  }
  export = Encoder
}
