import { receiveServer, serverSide } from '@countersign/postgres-wire'
import { parentPort } from 'node:worker_threads'
import { resultFilter } from '../core/result-filter.ts'
import type { LongRowDone, LongRowJob } from './long-rows.ts'

/** Masks long rows one after the other, in the order in which they come. */
// A fault ends this thread, which whoever waits for a row is told: a net would let them wait for ever.
// eslint-disable-next-line countersign/guarded-handlers
parentPort?.on('message', ({ id, row }: LongRowJob) => {
  const { plan, key, columns, taint, bytes } = row
  const [, [frame]] = receiveServer(serverSide(), Buffer.from(bytes.buffer))
  if (frame === undefined || frame.tag === 'Violation') throw new TypeError('no row')
  const filter = resultFilter(plan, key)
  const masked = new Uint8Array(filter.row(frame, columns, taint))
  const notes = filter.maskedNotes()
  parentPort?.postMessage({ id, bytes: masked, notes } satisfies LongRowDone, [masked.buffer])
})
