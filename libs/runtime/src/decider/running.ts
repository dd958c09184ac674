import type { Log } from '@countersign/log'
import type { Logger } from '../logger.ts'
import type { DeciderService } from './decider-service.ts'

/** What the parts of a running decider share. */
export type Running<State> = {
  readonly log: Log
  readonly service: DeciderService<State>
  readonly logger: Logger
  /** Whether it is being disposed: what fails now fails because of that. */
  isStopping(): boolean
}
