import type { Topology } from '@countersign/log'

/** What the proxy reads, and what it alone writes. */
export const topology: Topology = {
  service: 'proxy',
  reads: ['decisions', 'approvals', 'credentials', 'masking', 'catalog'],
  writes: ['sessions', 'keys', 'transcript', 'leases'],
}

/** What is read by lanes: only the partitions of the sessions of this instance. */
export const LANE_TOPICS = ['decisions', 'approvals', 'credentials', 'masking'] as const

/** The topic whose partitions are the lanes. */
export const LANES_OF = 'sessions'

export const CATALOG = 'catalog'
