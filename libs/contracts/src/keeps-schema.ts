import type { Effect } from './generated/common.ts'

/** True if a request may change the catalog of the target: the broker then looks, and the proxy waits for it. */
export const mayChangeSchema = (effects: readonly Effect[]): boolean =>
  effects.some(({ effect }) => !KEEPS_SCHEMA.includes(effect))

/** Effects that leave the catalog of the target as it is. */
const KEEPS_SCHEMA = ['read', 'write', 'delete', 'transaction', 'session-change', 'notify']
