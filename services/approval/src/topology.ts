import type { Topology } from '@countersign/log'

/** What approval reads, and what it alone writes. */
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
/** Of what a session does, little matters here, and nobody waits for that. */
export const SESSIONS = 'sessions'
