import { messageOf } from '@countersign/kernel'
import type { LogRecord, Reader } from '@countersign/log'
import { showOffset } from '../show-offset.ts'
import type { Running } from './running.ts'

/** The topics that are read whole before anything is decided. */
export type Globals = {
  readonly readers: readonly Reader[]
  /** The next offset that will be read. */
  offset(topic: string): number
}

/** Reads them to their end, and goes on reading. A rule that cannot be understood is a failure: to skip it could allow too much. */
export async function readGlobals<State>(
  { log, service, logger }: Running<State>,
  onFailure: (cause: unknown) => void,
): Promise<Globals> {
  // bound: one per global topic
  const offsets = new Map<string, number>()
  const readers = await Promise.all(service.globals.map(readGlobal))
  return { readers, offset: (topic) => offsets.get(topic) ?? 0 }

  async function readGlobal(topic: string): Promise<Reader> {
    const apply = (record: LogRecord): void => {
      if (record.position.offset < (offsets.get(topic) ?? 0)) return
      if (record.status === 'unreadable') throw record.problem
      if (record.status === 'understood') service.applyGlobal?.(record)
      offsets.set(topic, record.position.offset + 1)
    }
    showOffset(topic, () => offsets.get(topic) ?? 0)
    await log.readToEnd({ topic, onRecord: apply })
    return log.read({
      topics: [topic],
      from: 'beginning',
      onRecords: (records) => {
        try {
          records.forEach(apply)
        } catch (cause) {
          logger.error({ topic, reason: messageOf(cause) }, 'a rule cannot be understood: stopping')
          onFailure(cause)
          throw cause
        }
      },
    })
  }
}
