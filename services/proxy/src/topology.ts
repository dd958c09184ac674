import type { Topology } from '@countersign/log'

/** The topics that the proxy reads, and those that it alone writes. */
export const topology: Topology = {
  service: 'proxy',
  reads: ['decisions', 'approvals', 'credentials', 'masking', 'catalog'],
  writes: ['sessions', 'keys', 'transcript', 'leases'],
}

/**
 * The topics with messages about sessions, by lanes. An instance reads all lanes, and passes over the sessions of others; to
 * share lanes out, an id would have to be drawn until its partition is one of ours.
 */
export const LANE_TOPICS = ['decisions', 'approvals', 'credentials', 'masking'] as const

/** The topic whose partitions are the lanes. */
export const LANES_OF = 'sessions'

export const CATALOG = 'catalog'
