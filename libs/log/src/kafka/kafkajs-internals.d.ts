// Types of the inside of kafkajs, which has none; only of the parts mended in `quiet-when-idle.ts`, `patient-fetch.ts` and `lean-*.ts`.

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

declare module 'kafkajs/src/protocol/requests/fetch/v11/response.js' {
  type FetchedMessage = {
    readonly magicByte: number
    readonly attributes: number
    readonly timestamp: string
    readonly offset: string
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers: Readonly<Record<string, Buffer>>
    readonly isControlRecord: boolean
    readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
  }
  type FetchResponse = {
    readonly throttleTime: number
    readonly clientSideThrottleTime: number
    readonly errorCode: number
    readonly sessionId: number
    readonly responses: readonly {
      readonly topicName: string
      readonly partitions: readonly {
        readonly partition: number
        readonly errorCode: number
        readonly highWatermark: string
        readonly lastStableOffset: string
        readonly lastStartOffset: string
        readonly abortedTransactions: readonly { producerId: string; firstOffset: string }[]
        readonly preferredReadReplica: number
        readonly messages: readonly FetchedMessage[]
      }[]
    }[]
  }
  const response: { decode(bytes: Buffer): Promise<FetchResponse> }
  export = response
}

declare module 'kafkajs/src/protocol/recordBatch/v0/index.js' {
  import type Encoder from 'kafkajs/src/protocol/encoder.js'
  /** Only the fields that the tests of `lean-fetch.ts` give. */
  export function RecordBatch(batch: {
    compression?: number
    firstOffset?: number
    firstTimestamp?: number
    lastOffsetDelta?: number
    records: readonly Encoder[]
  }): Promise<Encoder>
}

declare module 'kafkajs/src/protocol/recordBatch/record/v0/index.js' {
  import type Encoder from 'kafkajs/src/protocol/encoder.js'
  function record(fields: {
    offsetDelta: number
    timestampDelta: number
    key: Buffer | null
    value: Buffer | null
    headers: Readonly<Record<string, Buffer>>
  }): Encoder
  export = record
}

declare module 'kafkajs/src/protocol/requests/produce/index.js' {
  import type Encoder from 'kafkajs/src/protocol/encoder.js'
  type Content = Buffer | string | null
  type TopicData = {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly messages: readonly {
        readonly key?: Content
        readonly value: Content
        readonly timestamp?: string
        readonly headers?: Readonly<
          Record<string, Buffer | string | (Buffer | string)[] | undefined>
        >
      }[]
    }[]
  }
  type ProduceRequest = {
    readonly acks: number
    readonly timeout: number
    readonly compression: number
    readonly transactionalId?: string | null
    readonly topicData: readonly TopicData[]
  }
  type Made = {
    readonly request: { readonly apiVersion: number; encode(): Promise<Encoder> }
    readonly response: unknown
  }
  const produce: {
    protocol(asked: { version: number }): (request: ProduceRequest) => Made
  }
  export = produce
}

declare module 'kafkajs/src/protocol/recordBatch/crc32C/index.js' {
  function crc32c(bytes: Buffer): number
  export = crc32c
}

declare module 'kafkajs/src/consumer/consumerGroup.js' {
  class ConsumerGroup {
    maxWaitTime: number
    readonly sessionTimeout: number
    paused(): readonly unknown[]
    fetch(nodeId: unknown): Promise<readonly unknown[]>
  }
  export = ConsumerGroup
}
