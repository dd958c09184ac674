import type { Topology } from '@countersign/log'

/** What masking reads, and what it alone writes. */
export const topology: Topology = {
  service: 'masking',
  reads: ['sessions', 'credentials', 'decisions', 'catalog'],
  heeds: { sessions: ['SessionEnded', 'SessionRefused'] },
  writes: ['masking'],
}

/** Read whole before anything is planned. */
export const CATALOG = 'catalog'
/** Of what a session does, little matters here, and nobody waits for that. */
export const SESSIONS = 'sessions'
