import type { MaskingPlanned } from '@countersign/contracts'
import { Problem } from '@countersign/kernel'
import type { Net } from '@countersign/runtime'
import type { Column, ServerFrame } from '@countersign/postgres-wire'
import { Worker } from 'node:worker_threads'
import type { Taint } from '../core/result-filter.ts'

/** A row that takes so long to look through that it is masked on a thread of its own, away from everybody's loop. */
export type LongRow = {
  readonly plan: MaskingPlanned
  readonly key: Uint8Array
  readonly columns: readonly Column[] | null
  readonly taint: Taint
  readonly frame: Pick<ServerFrame, 'raw'>
  readonly net: Net
}

/** What the thread gets and answers. */
export type LongRowJob = {
  readonly id: number
  readonly row: Omit<LongRow, 'frame' | 'net'> & { readonly bytes: Uint8Array }
}
export type LongRowDone = {
  readonly id: number
  readonly bytes: Uint8Array
  /** What was masked, for the agent. */
  readonly notes: readonly string[]
}

/** A long row as the agent may see it. */
export type MaskedLongRow = { readonly bytes: Buffer; readonly notes: readonly string[] }

/** Up to here a row is masked where it arrives: the slowest detectors take less than 30 ms for it. */
const LONG_ROW_BYTES_MIN = 128 * 1024
/** A larger row is not looked through at all (`DETECTED_ROW_BYTES_MAX`), which is quick. */
const LONG_ROW_BYTES_MAX = 64 * 1024 * 1024

/** Whether a row is masked on the thread. */
export const isLongRow = ({ raw }: Pick<ServerFrame, 'raw'>): boolean =>
  raw.length >= LONG_ROW_BYTES_MIN && raw.length <= LONG_ROW_BYTES_MAX

/** Masks a long row. A session has one on its way at most: its target is paused meanwhile. */
export function maskedLongRow({ frame, net, ...row }: LongRow): Promise<MaskedLongRow> {
  const done = Promise.withResolvers<MaskedLongRow>()
  const id = nextId++
  waiting.set(id, done)
  // A copy of its own, so that its memory can be handed over.
  const bytes = new Uint8Array(frame.raw)
  thread ??= started(net)
  thread.ref()
  thread.postMessage({ id, row: { ...row, bytes } } satisfies LongRowJob, [bytes.buffer])
  return done.promise
}

function started(net: Net): Worker {
  const worker = new Worker(new URL('./long-rows.worker.ts', import.meta.url))
  const done = ({ id, bytes, notes }: LongRowDone): void => {
    const masked = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    waiting.get(id)?.resolve({ bytes: masked, notes })
    waiting.delete(id)
    // Nobody stays alive for it.
    if (waiting.size === 0) worker.unref()
  }
  worker.on('message', net.guarded('long row', done))
  worker.on(
    'error',
    net.guarded('long row', (cause: unknown) => failed(worker, cause)),
  )
  worker.on(
    'exit',
    net.guarded('long row', () => failed(worker, null)),
  )
  return worker
}

/** The rows that waited cannot be shown; the next one gets a new thread. */
function failed(worker: Worker, cause: unknown): void {
  if (thread !== worker) return
  thread = null
  const problem = new Problem('CS_INTERNAL', 'a long row could not be masked', { cause })
  for (const { reject } of waiting.values()) reject(problem)
  waiting.clear()
}

let thread: Worker | null = null
let nextId = 1
const waiting = new Map<number, PromiseWithResolvers<MaskedLongRow>>()
