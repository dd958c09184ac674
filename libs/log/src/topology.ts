/** The messages of a service: which topics it reads, and of which it is the only writer. */
export type Topology = {
  /** The name of the service, which is also its Kafka user. */
  readonly service: string
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}
