import type { Topology } from '@countersign/log'

/** What the broker reads and writes. It is the only writer of `credentials`. */
export const topology: Topology = {
  service: 'credential-broker',
  reads: ['decisions', 'approvals', 'sessions', 'leases', 'catalog'],
  heeds: {
    sessions: [
      'RequestCompleted',
      'RequestRefused',
      'RequestWithdrawn',
      'SessionEnded',
      'SessionRefused',
    ],
  },
  writes: ['credentials'],
}

/** What the broker writes. */
export const CREDENTIALS = 'credentials'
/** Read by its own reader, whole, since a lease stands in another partition than its sessions. */
export const LEASES = 'leases'
/** Read whole before anything is decided. */
export const CATALOG = 'catalog'
/** Of what a session does, little matters here, and nobody waits for that. */
export const SESSIONS = 'sessions'
