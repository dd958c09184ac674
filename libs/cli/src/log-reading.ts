import { after, Problem } from '@countersign/kernel'
import type { Log, LogRecord, Position, Span } from '@countersign/log'

export type ReadingOptions = {
  readonly topics: readonly string[]
  /** The moment at which each partition begins; null to begin with the records that come from now on. */
  readonly sinceMs: number | null
  /** Gets records of one partition in order; while it takes its time, the fetching of more stops after a while. */
  onRecords(records: readonly LogRecord[], span: Span): Promise<void> | void
}

/** A reading of topics that knows what was in them when it began. */
export type Reading = AsyncDisposable & {
  /** The offsets that each topic had then, by partition. */
  readonly spans: ReadonlyMap<string, ReadonlyMap<number, Span>>
  /** Resolves when every record that was there then was delivered. Rejects where the log stops delivering. */
  caughtUp(): Promise<void>
  /** Resolves when this partition was delivered up to this offset. */
  reached(position: Position): Promise<void>
  readonly failed: Promise<never>
}

/** Reads topics from a moment on, and goes on until it is disposed. */
export async function readingOf(log: Log, options: ReadingOptions): Promise<Reading> {
  const { topics, sinceMs } = options
  const spans = new Map<string, ReadonlyMap<number, Span>>()
  // bound: one per partition
  const reached = new Map<string, number>()
  for (const topic of topics) {
    const found = await log.spansSince(topic, sinceMs ?? Number.MAX_SAFE_INTEGER)
    spans.set(topic, found)
    for (const [partition, { since }] of found) reached.set(nameOf(topic, partition), since)
  }
  let progress = Promise.withResolvers<void>()
  let failure: { readonly cause: unknown } | null = null
  let takersUnderWay = 0
  const reader = await log.read({
    topics,
    from: sinceMs === null ? 'end' : { sinceMs },
    onRecords: async (records, { topic, partition, offset }) => {
      const span = spans.get(topic)?.get(partition)
      takersUnderWay++
      try {
        if (span !== undefined) await options.onRecords(records, span)
      } finally {
        takersUnderWay--
      }
      reached.set(nameOf(topic, partition), offset)
      progress.resolve()
      progress = Promise.withResolvers<void>()
    },
  })
  reader.failed.catch((cause: unknown) => {
    failure = { cause }
    progress.resolve()
  })

  return {
    spans,
    failed: reader.failed,
    caughtUp: () =>
      until(() =>
        [...spans].every(([topic, found]) =>
          [...found].every(([partition, { end }]) => isReached({ topic, partition, offset: end })),
        ),
      ),
    reached: (position) => until(() => isReached(position)),
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }

  function isReached({ topic, partition, offset }: Position): boolean {
    return (reached.get(nameOf(topic, partition)) ?? 0) >= offset
  }

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      using _timer = after(STALLED_MS_MAX, () => {
        // The reader may be slow (a person in a pager); then the log is not asked for more.
        if (takersUnderWay === 0) failure = { cause: stalled() }
        progress.resolve()
        progress = Promise.withResolvers<void>()
      })
      await progress.promise
      if (failure !== null) throw failure.cause
    }
  }
}

const stalled = (): Problem =>
  new Problem('CS_LOG_UNAVAILABLE', 'the log gives nothing more, though there is more', {
    retriable: true,
  })

const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`
const STALLED_MS_MAX = 60_000
