import type { Topology } from '@countersign/log'

/**
 * The topics that the recorder reads. Keys of sessions are not archived: a tombstone in their topic must erase them.
 * `checkpoints` and `audit` come with their own issues.
 */
export const topology: Topology = {
  service: 'recorder',
  reads: ['sessions', 'transcript', 'decisions', 'approvals', 'credentials', 'masking', 'reviews'],
  writes: [],
}

/** The topic in which broken chains and unreadable records are put on record. */
export const REJECTED = 'recorder.rejected'
