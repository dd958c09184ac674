import type { LogRecord } from '@countersign/log'

/**
 * Whether a record speaks of one session and stands under the key of another. The key decides the partition, and with it
 * which state the record is held against: under another key, what is known of the session would not be there.
 */
export const isMisplaced = (record: LogRecord): boolean =>
  record.status === 'understood' &&
  'sessionId' in record.message &&
  record.message.sessionId !== record.key
