import type { Appender } from '../append-until-done.ts'
import type { DeciderService } from './decider-service.ts'

/** The service, log and logger that the parts of a running decider share. */
export type Running<State> = Appender & { readonly service: DeciderService<State> }
