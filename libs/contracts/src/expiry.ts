import { afterMs, type Instant } from '@countersign/kernel'
import type { SessionAdmitted } from './generated/decisions.ts'

/** The latest time at which the session ends. */
export const expiryOf = ({ at, expiresAt, profile }: SessionAdmitted): Instant =>
  expiresAt ?? afterMs(at, profile.sessionMaxMs)
