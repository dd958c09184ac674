import type { Topology } from '@countersign/log'

/**
 * What the recorder reads. The keys of the sessions are not archived: a tombstone in their topic must be the erasure.
 * `checkpoints` and `audit` come with their own issues.
 */
export const topology: Topology = {
  service: 'recorder',
  reads: ['sessions', 'transcript', 'decisions', 'approvals', 'credentials', 'masking', 'reviews'],
  writes: [],
}

/** Where a broken chain is put on record. */
export const REJECTED = 'recorder.rejected'
