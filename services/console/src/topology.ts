import type { Topology } from '@countersign/log'

/** What the console reads, and what it alone writes. */
export const topology: Topology = {
  service: 'console',
  reads: ['approvals', 'catalog'],
  writes: ['reviews', 'catalog'],
}
