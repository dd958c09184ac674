import type pg from 'pg'
import { Problem, rested } from '@countersign/kernel'
import { type DefaultPrivilege, mirrored, OF_EVERY_ROLE } from '../core/default-privileges.ts'
import {
  BACKENDS,
  CREATABLE,
  DEFAULT_PRIVILEGES,
  LEFTOVERS,
  MEMBERSHIPS,
  OWNED,
  OWNED_SCHEMAS,
  ROLE_STATE,
  TERMINATE,
} from '../core/sql/role-queries.ts'
import {
  actAs,
  createMaker,
  createRole,
  handOver,
  handOverAs,
  handOverSchema,
  lend,
  lock,
  type OwnedObject,
  resetSettings,
  retire,
  takeBack,
  unlock,
} from '../core/sql/role-statements.ts'

/** Makes a role ready for one session: locked until now, with exactly the base roles, then open for one login. */
export async function prepareRole(
  client: pg.ClientBase,
  options: {
    role: string
    database: string
    baseRoles: readonly string[]
    verifier: string
    validUntil: string
    /** The role that it acts as, where it may create; see `prepareMaker`. */
    maker?: string | null
  },
): Promise<void> {
  const { role, baseRoles, maker = null } = options
  const known = await client.query<RoleState>(ROLE_STATE, [role])
  const state = known.rows[0] ?? UNTOUCHED
  if (known.rowCount === 0) await runAll(client, createRole(role))
  if (state.canLogin || state.hasBackends) await shutOut(client, role)
  const isKept = (one: Membership): boolean => one.isLent && baseRoles.includes(one.role)
  const kept = state.memberships.filter(isKept).map((one) => one.role)
  await runAll(client, [
    ...(state.hasSettings ? resetSettings(role, options.database) : []),
    ...state.memberships
      .filter((one) => !isKept(one))
      .map((one) => takeBack(one.role, role, one.grantor)),
    ...baseRoles.filter((base) => !kept.includes(base)).map((base) => lend(base, role)),
    ...(maker === null ? [] : actAs(maker, role)),
    unlock(role, options.verifier, options.validUntil),
  ])
}

/**
 * Prepares the role that sessions act as if base roles may create: it has exactly the base roles, so code that it owns
 * can do no more than any session, and every session can use, change and drop what another one made.
 */
export async function prepareMaker(
  client: pg.ClientBase,
  maker: string,
  baseRoles: readonly string[],
): Promise<void> {
  const known = await client.query<RoleState>(ROLE_STATE, [maker])
  if (known.rowCount === 0) await runAll(client, createMaker(maker))
  const held = known.rows[0]?.memberships ?? []
  const isKept = (one: Membership): boolean => one.isLent && baseRoles.includes(one.role)
  await runAll(client, [
    ...held.filter((one) => !isKept(one)).map((one) => takeBack(one.role, maker, one.grantor)),
    ...baseRoles
      .filter((base) => !held.some((one) => isKept(one) && one.role === base))
      .map((base) => lend(base, maker)),
  ])
}

/** A role as the target describes it; see `ROLE_STATE`. */
type RoleState = {
  readonly canLogin: boolean
  readonly hasBackends: boolean
  readonly hasSettings: boolean
  readonly memberships: readonly Membership[]
}

/** `isLent`: the member inherits the role, and cannot become it or lend it on. */
type Membership = { readonly role: string; readonly grantor: string; readonly isLent: boolean }

const UNTOUCHED: RoleState = {
  canLogin: false,
  hasBackends: false,
  hasSettings: false,
  memberships: [],
}

/** Locks a role, ends its backends and resolves with their number. The lock comes first, and ends no backend itself. */
export async function shutOut(client: pg.ClientBase, role: string): Promise<number> {
  try {
    await client.query(lock(role))
  } catch (cause) {
    // The agent can hold the row of its role in an open transaction (ALTER ROLE CURRENT_USER): ending it lets go.
    await client.query(TERMINATE, [role])
    throw cause
  }
  const { rowCount } = await client.query(TERMINATE, [role])
  if (rowCount === 0) return 0
  const until = performance.now() + GONE_MS
  for (;;) {
    const left = await client.query(BACKENDS, [role])
    if (left.rowCount === 0) return rowCount ?? 0
    if (performance.now() > until)
      throw new Problem('CS_CREDENTIAL_FAILED', `backends of ${role} do not end`, {
        retriable: true,
      })
    await rested(POLL_MS)
  }
}

/** Lends roles, and checks in the catalog of the target that they are lent. */
export async function lendRoles(
  client: pg.ClientBase,
  role: string,
  lent: readonly string[],
): Promise<void> {
  await runAll(
    client,
    lent.map((one) => lend(one, role)),
  )
  const held = (await memberships(client, role)).map((membership) => membership.role)
  const missing = lent.find((one) => !held.includes(one))
  if (missing !== undefined)
    throw new Problem('CS_CREDENTIAL_FAILED', `the target did not lend ${missing}`)
}

/** Takes back roles, for each its grantor, and checks that they are gone: a REVOKE for another grantor only warns. */
export async function takeRolesBack(
  client: pg.ClientBase,
  role: string,
  lent: readonly string[],
): Promise<void> {
  if (lent.length === 0) return
  let cause: unknown
  for (const one of await memberships(client, role)) {
    if (!lent.includes(one.role)) continue
    // One that somebody else granted may not be ours to take back, and keeps none of the others.
    await client
      .query(takeBack(one.role, role, one.grantor))
      .catch((failure: unknown) => (cause ??= failure))
  }
  const held = (await memberships(client, role)).map((membership) => membership.role)
  const left = lent.find((one) => held.includes(one))
  if (left !== undefined)
    throw new Problem('CS_CREDENTIAL_FAILED', `the target still lends ${left}`, { cause })
}

/** The objects of a role that were handed over. `quarantined` is always empty now. */
export type Inheritance = { transferred: string[]; quarantined: string[] }

/**
 * Hands over what a role owns. If base roles may create nothing, all of it was made by statements that people approved,
 * byte for byte, and it goes to the owner of the profile. If the profile names none it stays, and the role is put aside
 * with it. Never REASSIGN OWNED, which would also take what is not of this database and wait for locks without a limit.
 */
export async function inheritFrom(
  client: pg.ClientBase,
  role: string,
  owner: string | null,
): Promise<Inheritance> {
  const result: Inheritance = { transferred: [], quarantined: [] }
  if (owner === null) return result
  const schemas = await client.query<{ name: string }>(OWNED_SCHEMAS, [role])
  const handedOver = new Set<string | null>()
  for (const { name } of schemas.rows) {
    await runImpatiently(client, handOverAs(role, owner, handOverSchema(name, owner)))
    handedOver.add(name)
    result.transferred.push(`schema ${name}`)
  }
  const { rows } = await client.query<OwnedObject>(OWNED, [role])
  for (const owned of rows) {
    if (GOES_WITH_TABLE.includes(owned.type) && !(await isStillOwned(client, role, owned))) continue
    const statement = handOver(owned, owner)
    const isInside = handedOver.has(owned.schema)
    await runImpatiently(client, isInside ? handOverAs(role, owner, statement) : [statement])
    result.transferred.push(`${owned.type} ${owned.identity}`)
  }
  return result
}

/** True if an object is still the role's: a sequence of a column, and the type of a row, went with their table. */
async function isStillOwned(
  client: pg.ClientBase,
  role: string,
  { type, identity }: OwnedObject,
): Promise<boolean> {
  const { rows } = await client.query<OwnedObject>(OWNED, [role])
  return rows.some((one) => one.type === type && one.identity === identity)
}

/** Makes what a role is about to create as open to others as what the owner creates. */
export async function mirrorDefaultPrivileges(
  client: pg.ClientBase,
  role: string,
  owner: string,
): Promise<void> {
  const has = await defaultPrivileges(client, role)
  const wanted = await defaultPrivileges(client, owner)
  await runAll(client, mirrored(role, has, wanted))
}

/** Gives a role back the default privileges that every role has, since it creates nothing more. */
export async function forgetDefaultPrivileges(client: pg.ClientBase, role: string): Promise<void> {
  await runAll(client, mirrored(role, await defaultPrivileges(client, role), OF_EVERY_ROLE))
}

const defaultPrivileges = async (
  client: pg.ClientBase,
  role: string,
): Promise<DefaultPrivilege[]> =>
  (await client.query<DefaultPrivilege>(DEFAULT_PRIVILEGES, [role])).rows

/** Puts a role back into the pool; a role that something still depends on is put aside for good. */
export async function returnRole(
  client: pg.ClientBase,
  role: string,
  database: string,
): Promise<void> {
  await runAll(client, resetSettings(role, database))
  const { rows } = await client.query<{ count: number }>(LEFTOVERS, [role])
  // Grants to the role itself, by approved statements of the session, count too.
  if ((rows[0]?.count ?? 0) > 0)
    await client.query(retire(role, `cs_retired_${Date.now().toString(36)}_${role.slice(3, 30)}`))
}

/**
 * A sentence on what a base role may create, with the statement to run against it; null when none may create anything.
 */
export async function creatable(
  client: pg.ClientBase,
  baseRoles: readonly string[],
): Promise<string | null> {
  const { rows } = await client.query<{
    role: string
    temp: boolean
    database: boolean
    schemas: string[]
  }>(CREATABLE, [baseRoles])
  for (const { role, temp, database, schemas } of rows) {
    if (temp)
      return `the base role ${role} may create temporary tables; run: REVOKE TEMP ON DATABASE … FROM PUBLIC, ${role}`
    if (database)
      return `the base role ${role} may create schemas; run: REVOKE CREATE ON DATABASE … FROM ${role}`
    const [schema] = schemas
    if (schema !== undefined)
      return `the base role ${role} may create in ${schema}; run: REVOKE CREATE ON SCHEMA ${schema} FROM PUBLIC, ${role}`
  }
  return null
}

async function memberships(
  client: pg.ClientBase,
  role: string,
): Promise<{ role: string; grantor: string }[]> {
  return (await client.query<{ role: string; grantor: string }>(MEMBERSHIPS, [role])).rows
}

/** Runs all or none, in one round trip: statements that are sent together are one transaction. */
async function runAll(client: pg.ClientBase, statements: readonly string[]): Promise<void> {
  if (statements.length > 0) await client.query(statements.join(';\n'))
}

/** Waits only 1 s for the lock on an object: others would queue behind us. */
async function runImpatiently(client: pg.ClientBase, statements: readonly string[]): Promise<void> {
  await runAll(client, [`SET LOCAL lock_timeout = '1s'`, ...statements])
}

const GOES_WITH_TABLE = ['sequence', 'type', 'index']
const GONE_MS = 10_000
const POLL_MS = 5
