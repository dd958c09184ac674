import type { Topology } from '@countersign/log'

/** The topics that approval reads, and the topic that it alone writes. */
export const topology: Topology = {
  service: 'approval',
  reads: ['decisions', 'sessions', 'credentials', 'reviews', 'catalog'],
  heeds: {
    sessions: [
      'RequestHeld',
      'RequestRefused',
      'RequestWithdrawn',
      'SessionEnded',
      'SessionRefused',
    ],
  },
  writes: ['approvals'],
}

/** Read whole before anything is decided. */
export const CATALOG = 'catalog'
/** Few messages of this topic matter to approval, and nobody waits for an answer to them. */
export const SESSIONS = 'sessions'
