import type { System } from '@countersign/local'
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
export async function heldOnWire(wire: Wire): Promise<string> {
  for (;;) {
    const notice = (await wire.until('N')).at(-1)
    const message = notice === undefined ? '' : fieldOf(notice, 'M')
    const found = heldIn(message)
    if (found !== undefined) return found
  }
}
