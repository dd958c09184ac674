import { hashOf } from '@countersign/contracts'
import type { Understood } from '@countersign/log'

/** The hash of a record that another service wrote, as a session cites it. */
export const hashOfRecord = (record: Understood): string =>
  hashOf(record.message.type, record.fingerprint, record.value)
