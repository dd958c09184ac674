import type { Topology } from '@countersign/log'

/** What the proxy reads, and what it alone writes. */
export const topology: Topology = {
  service: 'proxy',
  reads: ['decisions', 'approvals', 'credentials', 'masking', 'catalog'],
  writes: ['sessions', 'keys', 'transcript', 'leases'],
}

/**
 * What is said about sessions, by lanes. An instance reads all of them, and passes over what is about sessions of others; to
 * share them out, an id would have to be drawn until its partition is one of ours.
 */
export const LANE_TOPICS = ['decisions', 'approvals', 'credentials', 'masking'] as const

/** The topic whose partitions are the lanes. */
export const LANES_OF = 'sessions'

export const CATALOG = 'catalog'
