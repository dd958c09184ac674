/** The pure part of the log: its records. The core of a service may use it; reading and writing is for shells. */
export { consequenceId, type Draft, type DraftOptions, draftOf } from './draft.ts'
export { type RawRecord, recordOf, viewOf } from './envelope.ts'
export type { LogRecord, Understood } from './log.ts'
export { formatPosition, parsePosition, type Position } from './position.ts'
