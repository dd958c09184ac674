import type { MaskingPlanned } from '@countersign/contracts'
import { type Deque, deque, Problem } from '@countersign/kernel'
import type { Net } from '@countersign/runtime'
import type { Column, ServerFrame } from '@countersign/postgres-wire'
import { Worker } from 'node:worker_threads'
import type { CopyProgress, Taint } from '../core/result-filter.ts'

/** A row that takes so long to search that it is masked on another thread, away from the loop that sessions share. */
export type LongRow = {
  readonly plan: MaskingPlanned
  readonly key: Uint8Array
  readonly columns: readonly Column[] | null
  readonly taint: Taint
  /** If it has its memory to itself, the thread gets that: nobody may read the frame afterwards. */
  readonly frame: Pick<ServerFrame, 'raw'>
  /** The progress of the COPY that the row belongs to; null when it belongs to none. */
  readonly copy: CopyProgress | null
  /** True if anybody waits for it still. */
  readonly isWanted: () => boolean
  readonly net: Net
}

/** The message to the thread, and its answer. */
export type LongRowJob = Omit<LongRow, 'frame' | 'isWanted' | 'net'> & {
  readonly bytes: Uint8Array
}
export type LongRowDone = {
  readonly bytes: Uint8Array
  /** Notes of what was masked, for the agent. */
  readonly notes: readonly string[]
  readonly copy: CopyProgress | null
}

/** A long row as the agent may see it. */
export type MaskedLongRow = Omit<LongRowDone, 'bytes'> & { readonly bytes: Buffer }

/** Up to here a row is masked where it arrives: the slowest detectors take less than 30 ms for it. */
const LONG_ROW_BYTES_MIN = 128 * 1024
/** A larger row is not looked through at all (`DETECTED_ROW_BYTES_MAX`), which is quick. */
const LONG_ROW_BYTES_MAX = 64 * 1024 * 1024
/** Rows from here on have a thread that ends behind each of them, with all that it took; other long rows pass them by. */
const LARGE_ROW_BYTES_MIN = 8 * 1024 * 1024
/** The text of a row, and what it becomes, stand in the heap of the thread. */
const THREAD_HEAP_MIB_MAX = 512

/** True if a row, or what completes one of a COPY, is masked on the thread. */
export const isLong = (bytes: number): boolean =>
  bytes >= LONG_ROW_BYTES_MIN && bytes <= LONG_ROW_BYTES_MAX

/**
 * Masks a long row. A session has one on its way at most: its target is paused meanwhile. Null when nobody wanted it any more
 * by the time that its turn came.
 */
export function maskedLongRow(row: LongRow): Promise<MaskedLongRow | null> {
  const done = Promise.withResolvers<MaskedLongRow | null>()
  const line = row.frame.raw.length < LARGE_ROW_BYTES_MIN ? LONG : LARGE
  line.waiting.push({ row, done })
  next(line)
  return done.promise
}

type Job = { readonly row: LongRow; readonly done: PromiseWithResolvers<MaskedLongRow | null> }

/** A thread, and the rows that it masks one after the other. */
type Line = {
  readonly endsBehindEach: boolean
  thread: Worker | null
  current: Job | null
  readonly waiting: Deque<Job>
}

const newLine = (endsBehindEach: boolean): Line => ({
  endsBehindEach,
  thread: null,
  current: null,
  waiting: deque(),
})

const LONG = newLine(false)
const LARGE = newLine(true)

function next(line: Line): void {
  while (line.current === null) {
    const job = line.waiting.shift()
    if (job === undefined) return
    if (!job.row.isWanted()) {
      job.done.resolve(null)
      continue
    }
    line.current = job
    try {
      handOver(line, job)
    } catch (cause) {
      // No thread, or no memory for a copy.
      line.current = null
      job.done.reject(notMasked(cause))
    }
  }
}

function handOver(line: Line, { row: { frame, net, isWanted: _, ...row } }: Job): void {
  line.thread ??= started(line, net)
  line.thread.ref()
  const bytes = handedOver(frame.raw)
  line.thread.postMessage({ ...row, bytes } satisfies LongRowJob, [bytes.buffer])
}

const notMasked = (cause: unknown): Problem =>
  new Problem('CS_INTERNAL', 'a long row could not be masked', { cause })

/** The bytes with memory of their own: that which they have already, or a copy. */
export function handedOver(bytes: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  return isAlone ? new Uint8Array(buffer) : new Uint8Array(bytes)
}

function started(line: Line, net: Net): Worker {
  const worker = new Worker(new URL('./long-rows.worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MIB_MAX },
  })
  const done = ({ bytes, ...rest }: LongRowDone): void => {
    const masked = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const { current } = line
    line.current = null
    if (line.endsBehindEach) {
      line.thread = null
      net.detached('long row', worker.terminate())
    } else worker.unref()
    current?.done.resolve({ bytes: masked, ...rest })
    next(line)
  }
  /** The row that it had cannot be shown; the next one gets a new thread. */
  const failed = (cause: unknown): void => {
    if (line.thread !== worker) return
    const { current } = line
    line.thread = null
    line.current = null
    current?.done.reject(notMasked(cause))
    next(line)
  }
  worker.on('message', net.guarded('long row', done))
  worker.on('error', net.guarded('long row', failed))
  worker.on(
    'exit',
    net.guarded('long row', () => failed(null)),
  )
  return worker
}
