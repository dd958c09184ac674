import { afterMs, type Instant } from '@countersign/kernel'
import type { SessionAdmitted } from './generated/decisions.ts'

/** When the session ends at the latest. */
export const expiryOf = ({ at, expiresAt, profile }: SessionAdmitted): Instant =>
  expiresAt ?? afterMs(at, profile.sessionMaxMs)
