import type { Topology } from '@countersign/log'

/** The topics that the console reads, and those that it alone writes. */
export const topology: Topology = {
  service: 'console',
  reads: ['approvals', 'catalog'],
  writes: ['reviews', 'catalog'],
}

/** The topic that the console writes, and reads to its end before it writes more. */
export const CATALOG = 'catalog'
/** The catalog has one partition, so that everybody reads the rules in one order. */
export const CATALOG_PARTITION = 0
