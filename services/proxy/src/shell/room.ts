import { before } from './before.ts'
import type { Session } from './session-state.ts'

/** True if the agent does not read, or the log does not keep up: then whoever causes more of it waits for `roomFor`. */
export const hasNoRoom = ({ client, journal }: Session): boolean =>
  client.isCongested() || journal.isCongested()

/** Resolves when there is room again, or when nobody needs it any more: the agent is gone, or the log failed. */
export const roomFor = ({ client, journal }: Session): Promise<unknown> =>
  before(client.closed, Promise.all([client.drained(), journal.relieved()]))
