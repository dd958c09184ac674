import type { Topology } from '@countersign/log'

/** The topics that policy reads, and the topic that it alone writes. */
export const topology: Topology = {
  service: 'policy',
  reads: ['sessions', 'credentials', 'keys', 'catalog'],
  heeds: {
    sessions: [
      'SessionRequested',
      'RequestIntercepted',
      'RequestPart',
      'RequestRefused',
      'RequestWithdrawn',
      'SessionEnded',
      'SessionRefused',
    ],
  },
  writes: ['decisions'],
}

/** Read whole before anything is decided. */
export const CATALOG = 'catalog'
