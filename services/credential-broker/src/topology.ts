import type { Topology } from '@countersign/log'

/** The topics that the broker reads and writes. It is the only writer of `credentials`. */
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

/** The topic that the broker writes. */
export const CREDENTIALS = 'credentials'
/** Read whole by a reader of its own, since a lease stands in another partition than its sessions. */
export const LEASES = 'leases'
/** Read whole before anything is decided. */
export const CATALOG = 'catalog'
/** Few messages of this topic matter to the broker, and somebody waits for them only while `hasRaised`. */
export const SESSIONS = 'sessions'
