import { receiveServer, serverSide } from '@countersign/postgres-wire'
import { parentPort } from 'node:worker_threads'
import { resultFilter } from '../core/result-filter.ts'
import { handedOver, type LongRowDone, type LongRowJob } from './long-rows.ts'

/** Masks long rows one after the other, in the order in which they come. */
// A fault ends this thread, so that whoever waits for a row is told: a net would let them wait for ever.
// eslint-disable-next-line countersign/guarded-handlers
parentPort?.on('message', ({ plan, key, columns, taint, bytes, copy }: LongRowJob) => {
  const [, [frame]] = receiveServer(serverSide(), bytes)
  if (frame === undefined || frame.tag !== (copy === null ? 'D' : 'd'))
    throw new TypeError('no row')
  const filter = resultFilter(plan, key)
  if (copy !== null) filter.resumeCopy(copy)
  const masked = handedOver(
    copy === null ? filter.bareRow(frame, columns, taint) : Buffer.concat(filter.copy(frame)),
  )
  const done: LongRowDone = {
    bytes: masked,
    notes: filter.maskedNotes(),
    copy: filter.copyProgress(),
  }
  parentPort?.postMessage(done, [masked.buffer])
})

// eslint-disable-next-line countersign/guarded-handlers
parentPort?.on('messageerror', (cause: unknown) => {
  throw new TypeError('a row that cannot be read', { cause })
})
