import type { Heeds } from './log.ts'

/** The messages of a service: which topics it reads, and of which it is the only writer. */
export type Topology = {
  /** The name of the service, which is also its Kafka user. */
  readonly service: string
  readonly reads: readonly string[]
  /** The messages that concern the service, of topics in which most messages do not. */
  readonly heeds?: Heeds
  readonly writes: readonly string[]
}
