import pg from 'pg'
import type { System } from '@countersign/local'

/** A connection of the target's own administrator, past Countersign; the caller must end it. */
export async function askingTarget(system: System, database: string): Promise<pg.Client> {
  const url = new URL(system.postgres.adminUrl)
  url.pathname = `/${database}`
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  return client
}

/** Runs SQL at the target as its own administrator, past Countersign, and gives the rows. */
export async function askTarget(
  system: System,
  sql: string,
  database = 'postgres',
): Promise<Record<string, unknown>[]> {
  const client = await askingTarget(system, database)
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return rows
  } finally {
    await client.end()
  }
}

/** The roles of Countersign's sessions that can log in, and the number of backends of all such roles. */
export async function lockedRoles(
  system: System,
): Promise<{ canLogIn: string[]; backends: number }> {
  const roles = await askTarget(
    system,
    "select rolname from pg_roles where rolname like 'cs\\_%' and rolcanlogin order by 1",
  )
  const backends = await askTarget(
    system,
    "select count(*)::int as n from pg_stat_activity where usename like 'cs\\_%'",
  )
  return {
    canLogIn: roles.map(({ rolname }) => String(rolname)),
    backends: Number(backends[0]?.['n']),
  }
}

/** The roles of Countersign's sessions that have the privileges of this role, as the target's catalog says. */
export async function sessionRolesIn(system: System, role: string): Promise<string[]> {
  const rows = await askTarget(
    system,
    `select m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member
     join pg_roles r on r.oid = a.roleid where r.rolname = '${role}' and m.rolname like 'cs\\_%'`,
  )
  return rows.map(({ rolname }) => String(rolname))
}
