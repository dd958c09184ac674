import type { Topology } from '@countersign/log'

/** The topics whose records belong to a session. */
export const SESSION_TOPICS = [
  'sessions',
  'transcript',
  'decisions',
  'approvals',
  'credentials',
  'masking',
] as const

/** The topics that replay reads. It writes none; unreadable records are put aside in `replay.rejected`. */
export const topology: Topology = {
  service: 'replay',
  reads: [...SESSION_TOPICS, 'keys', 'catalog'],
  writes: [],
}
