import { Problem } from '@countersign/kernel'
import { COMMON_SETTINGS, OIDC_SETTINGS, count, path, port, readConfig } from '@countersign/runtime'
import { z } from 'zod'
import { COPIES } from './core/copy-data.ts'
import { OWNER_PART } from './shell/memory.ts'

/** The settings of the proxy; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_POSTGRES_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('The address to listen on for agents.'),
  CS_POSTGRES_PORT: port('The port to listen on for PostgreSQL clients.'),
  CS_TLS_CERT_FILE: path('The certificate chain for agents (PEM).'),
  CS_TLS_KEY_FILE: path('The private key of the certificate (PEM).'),
  CS_TARGET_CA_FILE: path(
    'The certificate authorities that targets are verified against (PEM).',
  ).optional(),
  CS_MASKING_KEY_FILE: path('The key of the pseudonyms, at least 32 bytes.'),
  CS_SEALING_KEYS_FILE: path('The public keys of the services (JWK Set).'),
  ...OIDC_SETTINGS,
  CS_CONSOLE_URL: z
    .string()
    .optional()
    .describe('Where people countersign; stands in the notice of a hold.'),
  CS_LEASE_MS: count(
    'How long the proxy may be silent before its credentials are revoked, in milliseconds.',
    10_000,
  ),
  CS_HEARTBEAT_MS: count('How often the lease is renewed, in milliseconds.', 2_000),
  CS_DECISION_LIMIT_MS: count('How long policy may take, in milliseconds.', 10_000),
  CS_CREDENTIAL_LIMIT_MS: count(
    'How long the credential broker may take, in milliseconds.',
    15_000,
  ),
  CS_MASKING_LIMIT_MS: count('How long the masking plan may take, in milliseconds.', 5_000),
  CS_CONNECT_LIMIT_MS: count(
    'How long a connection to a target may take, in milliseconds.',
    10_000,
  ),
  CS_LOGIN_LIMIT_MS: count('How long an agent may take to log in, in milliseconds.', 30_000),
  CS_COVERAGE_ALIVE_MS: count(
    'How old the sign of life of policy may be for a covered release, in milliseconds.',
    3_000,
  ),
  CS_DRAIN_MS: count(
    'How long running requests may take to finish after SIGTERM, in milliseconds.',
    30_000,
  ),
  CS_HOLD_NOTICE_MS: count(
    'How often an agent is told again that its request is held, in milliseconds.',
    60_000,
  ),
  CS_FRAME_BYTES_MAX: count('The largest message of an agent, in bytes.', 16 * 1024 * 1024),
  CS_ROW_BYTES_MAX: count(
    'The largest row or other message of a target, in bytes.',
    64 * 1024 * 1024,
  ),
  CS_MEMORY_BYTES_MAX: count(
    'How much memory rows above 1 MiB may take over all sessions, each with its copies six times its size, in bytes; targets wait for it, one row always fits. Messages of agents get half as much beside it, in the same way; what of them waits for people, runs, or is read ahead counts once, and takes half of that, of one agent an eighth.',
    256 * 1024 * 1024,
  ),
  CS_COPY_DATA_BYTES_MAX: count(
    'How much data a COPY FROM STDIN may have whose chain demands that it is held with them, in bytes; at most 16 MiB and a 24th of CS_MEMORY_BYTES_MAX. All that are held take at most half of that, those of one agent an eighth, each three times its size.',
    1024 * 1024,
  ),
  CS_SESSIONS_MAX: count('How many sessions this process holds at the same time.', 5_000),
}

export type ProxyConfig = z.infer<z.ZodObject<typeof SETTINGS>>

/** The settings of the proxy, where they fit each other. Throws `CS_CONFIG_INVALID`. */
export function proxyConfig(environment: NodeJS.ProcessEnv): ProxyConfig {
  const config = readConfig(SETTINGS, environment)
  const { CS_COPY_DATA_BYTES_MAX: bytes, CS_MEMORY_BYTES_MAX: memory } = config
  const bytesMax = Math.min(COPY_DATA_BYTES_MAX, Math.floor((memory * OWNER_PART) / COPIES))
  if (bytes <= bytesMax) return config
  const why = `16 MiB, and a 24th of CS_MEMORY_BYTES_MAX (${memory}), so that one COPY fits into what an agent may have`
  throw new Problem(
    'CS_CONFIG_INVALID',
    `CS_COPY_DATA_BYTES_MAX is ${bytes} and may be at most ${bytesMax}: ${why}`,
  )
}

/** The most data of a held COPY that, with its statement, fit into the parts of one request. */
const COPY_DATA_BYTES_MAX = 16 * 1024 * 1024

/** The services that read the topic `keys`: they alone may read what a session asks and sees. */
export const DATA_KEY_READERS = ['policy', 'replay'] as const

/** The time that sessions get to say goodbye when the process stops, in milliseconds. */
export const ENDING_MS = 3_000
