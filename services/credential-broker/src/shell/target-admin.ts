import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import type { Profile } from '@countersign/contracts'
import { messageOf, Problem, rested } from '@countersign/kernel'

/** The broker's own connections to the targets: one small pool for each version of a profile. */
export type TargetAdmins = AsyncDisposable & {
  /** Runs on one connection. Throws `CS_TARGET_…` or `CS_CREDENTIAL_FAILED`. */
  on<T>(profile: Profile, run: (client: pg.ClientBase) => Promise<T>): Promise<T>
}

export type TargetAdminOptions = {
  /** Reads an admin secret by the reference in the profile. */
  secret: (reference: string) => Promise<{ user: string; password: string }>
  certificateAuthorities: string | undefined
}

export function targetAdmins(options: TargetAdminOptions): TargetAdmins {
  // bound: POOLS_MAX
  const pools = new Map<string, Promise<pg.Pool>>()

  // Another caller may have made a newer one meanwhile.
  const forget = (id: string, made: Promise<pg.Pool>): void => {
    if (pools.get(id) === made) pools.delete(id)
  }

  const poolOf = (profile: Profile): Promise<pg.Pool> => {
    const id = poolName(profile)
    const known = pools.get(id)
    if (known !== undefined) return known
    const made = connected(profile)
    pools.set(id, made)
    made.catch(() => forget(id, made))
    const [oldest] = pools
    if (pools.size > POOLS_MAX && oldest !== undefined) {
      pools.delete(oldest[0])
      // Work that still runs on its connections goes on to its end.
      oldest[1].then((pool) => pool.end()).catch(() => undefined)
    }
    return made
  }

  async function connected(profile: Profile): Promise<pg.Pool> {
    const { user, password } = await options.secret(profile.adminSecret)
    const pool = new pg.Pool({
      host: profile.host,
      port: profile.port,
      database: profile.database,
      user,
      password,
      ssl: tlsOf(profile, options.certificateAuthorities),
      max: POOL_SIZE,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      application_name: 'countersign/broker',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      allowExitOnIdle: true,
    })
    pool.on('error', () => undefined)
    return pool
  }

  async function once<T>(profile: Profile, run: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    const made = poolOf(profile)
    const client = await made
      .then((pool) =>
        pool.connect().catch((cause: unknown) => {
          // The secret may have been changed: it is read again with the next attempt.
          forget(poolName(profile), made)
          pool.end().catch(() => undefined)
          throw cause
        }),
      )
      .catch((cause: unknown) => Promise.reject(unreachable(profile, cause)))
    let broken = false
    // The pool hears errors of idle connections alone. What runs on this one fails by itself.
    const deaf = (): void => undefined
    client.on('error', deaf)
    try {
      return await run(client)
    } catch (cause) {
      broken = true
      throw cause
    } finally {
      // After an error the transaction and settings of the connection are not known, so it is closed.
      client.off('error', deaf)
      client.release(broken)
    }
  }

  return {
    async on(profile, run) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await once(profile, run)
        } catch (cause) {
          // Two sessions that open at once change the same shared role; every step may be taken again.
          if (attempt >= ATTEMPTS_MAX || !COLLISION.test(messageOf(cause))) throw cause
          await rested(Math.random() * 20 * attempt)
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...pools.values()].map(async (pool) => (await pool).end()))
    },
  }
}

/** Admin secrets in files: `file:<name>` is `<folder>/<name>`, JSON with user and password. */
export const fileSecrets =
  (folder: string) =>
  async (reference: string): Promise<{ user: string; password: string }> => {
    const name = /^file:([\w.-]+)$/.exec(reference)?.[1]
    if (name === undefined)
      throw new Problem(
        'CS_CREDENTIAL_FAILED',
        `the secret ${reference} is not of a known provider`,
      )
    try {
      const read: unknown = JSON.parse(await readFile(join(folder, name), 'utf8'))
      if (typeof read === 'object' && read !== null && 'user' in read && 'password' in read) {
        return { user: String(read.user), password: String(read.password) }
      }
      throw new TypeError('it has no user and password')
    } catch (cause) {
      throw new Problem(
        'CS_CREDENTIAL_FAILED',
        `the admin secret ${reference} cannot be read: ${messageOf(cause)}`,
        {
          cause,
          hint: 'Put {"user", "password"} into a file of this name in CS_SECRETS_DIR.',
        },
      )
    }
  }

/** A password that nobody can guess; its few SCRAM iterations are enough. */
export const newPassword = (): string => randomBytes(32).toString('base64url')

function tlsOf(profile: Profile, ca: string | undefined): pg.ClientConfig['ssl'] {
  const anchors = ca === undefined ? {} : { ca }
  switch (profile.tls) {
    case 'VerifyFull':
      return { ...anchors, rejectUnauthorized: true }
    case 'VerifyCa':
      return { ...anchors, rejectUnauthorized: true, checkServerIdentity: () => undefined }
    case 'Require':
      return { rejectUnauthorized: false }
  }
}

function unreachable(profile: Profile, cause: unknown): Problem {
  if (cause instanceof Problem) return cause
  const message = messageOf(cause)
  if (/does not support SSL/.test(message)) {
    return new Problem(
      'CS_TARGET_TLS_UNAVAILABLE',
      `the target of ${profile.name} does not offer TLS`,
      { cause },
    )
  }
  return new Problem(
    'CS_TARGET_UNREACHABLE',
    `the broker cannot reach the target of ${profile.name}: ${message}`,
    {
      cause,
      retriable: true,
      hint: 'Check that the target runs, and the address and adminSecret of the profile.',
    },
  )
}

/** The connections of one pool; one of them listens for changes while sessions are open. */
const POOL_SIZE = 5
const IDLE_MS = 60_000
const CONNECT_MS = 5_000
/** TCP keep-alive, so that a target that vanished without closing its connections is noticed. */
const KEEP_ALIVE_MS = 30_000
const STATEMENT_MS = 10_000
const poolName = ({ name, version }: Profile): string => `${name}/${version}`

/** The most pools, one for each version of a profile; one that was closed is made again when it is used again. */
const POOLS_MAX = 256
const ATTEMPTS_MAX = 20
/** The error when two sessions change the same catalog row: PostgreSQL does not wait there, but fails. */
const COLLISION = /tuple concurrently (?:updated|deleted)/
