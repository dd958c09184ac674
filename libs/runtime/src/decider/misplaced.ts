import type { LogRecord } from '@countersign/log'

/**
 * True if a record names one session and stands under the key of another. The key selects the partition, and with it
 * the state that the record is checked against: under another key, the state of its session would be missing.
 */
export const isMisplaced = (record: LogRecord): boolean =>
  record.status === 'understood' &&
  'sessionId' in record.message &&
  record.message.sessionId !== record.key
