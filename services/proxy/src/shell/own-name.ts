import { randomBytes } from 'node:crypto'

/**
 * The name of what Countersign itself prepares, binds or saves in a session of an agent. An agent that knew it could take
 * it first, so it is another one in each process.
 */
export const OWN_NAME = `_countersign_${randomBytes(8).toString('hex')}`
