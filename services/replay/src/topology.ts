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

/** What replay reads. It writes nothing. */
export const topology: Topology = {
  service: 'replay',
  reads: [...SESSION_TOPICS, 'keys', 'catalog'],
  writes: [],
}
