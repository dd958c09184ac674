import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { after, Problem } from '@countersign/kernel'
import type { Draft } from './draft.ts'
import type { Position } from './position.ts'

/** One call of `append` until all of its drafts are written or it is given up. */
export type Appending = {
  readonly positions: Promise<Position[]>
  readonly deadlineMs: number
  /** True if the call is over: nobody waits any more, and drafts that are not sent yet must not be sent. */
  settled(): boolean
  /** The time at which it was given up (`performance.now()`); null while it is not. */
  givenUpAtMs(): number | null
  written(index: number, position: Position): void
  failed(problem: Problem): void
}

/** Waits for so many positions, at most until the limit. */
export function appending(count: number, limitMs: number): Appending {
  const { promise, resolve, reject } = Promise.withResolvers<Position[]>()
  const positions = new Array<Position>(count)
  let missing = count
  let isSettled = false
  let givenUpAtMs: number | null = null
  const late = after(limitMs, () => failed(unavailable(`no acknowledgement within ${limitMs} ms`)))

  function failed(problem: Problem): void {
    if (isSettled) return
    isSettled = true
    givenUpAtMs = performance.now()
    late[Symbol.dispose]()
    reject(problem)
  }

  return {
    positions: promise,
    deadlineMs: performance.now() + limitMs,
    settled: () => isSettled,
    givenUpAtMs: () => givenUpAtMs,
    failed,
    written(index, position) {
      if (isSettled) return
      positions[index] = position
      if (--missing > 0) return
      isSettled = true
      late[Symbol.dispose]()
      resolve(positions)
    },
  }
}

/** The problem of an append that was not acknowledged: its records may or may not be in the log. */
export const unavailable = (message: string, cause?: unknown): Problem =>
  new Problem('CS_LOG_UNAVAILABLE', message, { retriable: true, cause })

/** A generous estimate of the bytes that a draft takes in a batch. */
export const sizeOf = (draft: Draft): number =>
  draft.value.length + Buffer.byteLength(draft.key) * 2 + HEADER_BYTES

/** A sentence about a value that is too large to be appended; null where it fits. */
export async function oversize(value: Buffer): Promise<string | null> {
  if (value.length + HEADER_BYTES <= BATCH_BYTES_MAX) return null
  if (value.length + HEADER_BYTES > RECORD_BYTES_MAX)
    return `it has ${value.length} bytes, and a record may have ${RECORD_BYTES_MAX}`
  const { length } = await promisify(gzip)(value)
  if (length <= PACKED_BYTES_MAX) return null
  return `compressed it has ${length} bytes, and a record may have ${PACKED_BYTES_MAX}`
}

/** Refuses a draft that would make a whole batch fail, and with it the drafts of others. */
export function refuseOversized(drafts: readonly Draft[]): void {
  for (const draft of drafts) {
    if (sizeOf(draft) <= RECORD_BYTES_MAX) continue
    throw new Problem(
      'CS_FRAME_TOO_LARGE',
      `${draft.message.type} has ${draft.value.length} bytes`,
      {
        hint: `A record may have ${RECORD_BYTES_MAX} bytes.`,
      },
    )
  }
}

/** The most bytes of one produce request, well under the broker's own limit for a batch. */
export const BATCH_BYTES_MAX = 900_000
/**
 * The most bytes of one record. One that is larger than a batch goes alone and compressed: the description of a large
 * target, which repeats itself, becomes a tenth to a fortieth of it.
 */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024
/** The most bytes of a compressed record, under the limit of the topics (2 MiB). */
const PACKED_BYTES_MAX = 1_900_000
/** The headers of a record with a trace context, and Kafka's own framing of it. */
const HEADER_BYTES = 600
export const APPEND_LIMIT_MS = 2_000
