import type { System } from '@countersign/local'
import type { ServerFrame } from '@countersign/postgres-wire'
import { type Psql, type PsqlOptions, startPsql } from './agent.ts'
import { fieldOf, type Wire } from './wire.ts'

/** A psql whose statement is held, and the request that it waits for. */
export type Held = { readonly psql: Psql; readonly requestId: string }

/** Sends one statement with psql and waits until it is held. */
export async function heldStatement(
  system: System,
  sql: string,
  options: Partial<PsqlOptions> = {},
): Promise<Held> {
  const psql = await startPsql(system, { profile: 'shop-prod', commands: [sql], ...options })
  return { psql, requestId: await heldRequest(psql) }
}

/** The request that psql was last told is held. */
export async function heldRequest(psql: Psql): Promise<string> {
  await psql.says(/held for review \(request [0-9a-f-]{36}\)/)
  const all = [...psql.stderr().matchAll(/held for review \(request ([0-9a-f-]{36})\)/g)]
  return all.at(-1)?.[1] ?? ''
}

/** The first request that these notices say is held. */
export const heldIn = (notices: string): string | undefined =>
  /held for review \(request ([0-9a-f-]{36})\)/.exec(notices)?.[1]

/** The request that a wire client is told is held. */
export const heldOnWire = async (wire: Wire): Promise<string> =>
  heldIn(fieldOf(await heldNotice(wire), 'M')) ?? ''

/** The notice that tells a wire client that its request is held. */
export async function heldNotice(wire: Wire): Promise<ServerFrame> {
  for (;;) {
    const notice = (await wire.until('N')).at(-1)
    if (notice !== undefined && heldIn(fieldOf(notice, 'M')) !== undefined) return notice
  }
}
