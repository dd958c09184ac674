import type { Topology } from '@countersign/log'

/** The topics that masking reads, and the topic that it alone writes. */
export const topology: Topology = {
  service: 'masking',
  reads: ['sessions', 'credentials', 'decisions', 'catalog'],
  heeds: { sessions: ['SessionEnded', 'SessionRefused'] },
  writes: ['masking'],
}

/** Read whole before anything is planned. */
export const CATALOG = 'catalog'
/** Few messages of this topic matter to masking, and nobody waits for an answer to them. */
export const SESSIONS = 'sessions'
