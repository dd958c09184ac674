import { readFile } from 'node:fs/promises'
import pg from 'pg'
import type { System } from '@countersign/local'
import { agentEnvironment } from './agent.ts'

/** The configuration with which node-postgres logs in as an agent. */
export async function agentConfig(system: System, profile: string): Promise<pg.ClientConfig> {
  const { PGUSER, PGPASSWORD, PGPORT } = await agentEnvironment(system, { profile })
  return {
    host: '127.0.0.1',
    port: Number(PGPORT),
    user: PGUSER ?? '',
    password: PGPASSWORD ?? '',
    database: profile,
    ssl: { ca: await readFile(system.caFile, 'utf8') },
  }
}

/** A connected node-postgres client; it ends with the scope that holds it. */
export async function connectPg(
  system: System,
  profile: string,
): Promise<pg.Client & AsyncDisposable & { readonly notices: string[] }> {
  const client = new pg.Client(await agentConfig(system, profile))
  const notices: string[] = []
  client.on('notice', ({ message }) => void notices.push(message ?? ''))
  client.on('error', () => undefined)
  await client.connect()
  return Object.assign(client, {
    notices,
    [Symbol.asyncDispose]: () => client.end().catch(() => undefined),
  })
}
