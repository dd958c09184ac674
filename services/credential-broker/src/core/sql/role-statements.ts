import { identifier, literal } from './quote.ts'

/** Makes a role of the pool, locked. The broker may act on what the role owns, and never becomes the role. */
export const createRole = (role: string): string[] => [
  `CREATE ROLE ${identifier(role)} NOLOGIN ${POWERLESS} INHERIT CONNECTION LIMIT 1`,
  `GRANT ${identifier(role)} TO CURRENT_USER WITH INHERIT TRUE, SET FALSE`,
]

/** Lends a role. SET FALSE: a session that could become the role would keep it after the REVOKE. */
export const lend = (lent: string, role: string): string =>
  `GRANT ${identifier(lent)} TO ${identifier(role)} WITH INHERIT TRUE, SET FALSE`

/**
 * Makes the role that owns what sessions make without an approval. The broker gives it what a session's own role made.
 */
export const createMaker = (maker: string): string[] => [
  `CREATE ROLE ${identifier(maker)} NOLOGIN ${POWERLESS} INHERIT`,
  `GRANT ${identifier(maker)} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE`,
]

/**
 * Lets a role act as the maker from its login on: the maker owns what it creates, so every session of the profile does.
 */
export const actAs = (maker: string, role: string): string[] => [
  `GRANT ${identifier(maker)} TO ${identifier(role)} WITH INHERIT TRUE, SET TRUE`,
  `ALTER ROLE ${identifier(role)} SET role = ${literal(maker)}`,
]

/** Takes back a role that exactly this grantor lent: a REVOKE for another grantor would only warn. */
export const takeBack = (lent: string, role: string, grantor: string): string =>
  `REVOKE ${identifier(lent)} FROM ${identifier(role)} GRANTED BY ${identifier(grantor)}`

/**
 * Opens a role for one login. It is given the verifier and never the password, since the target logs its statements.
 */
export const unlock = (role: string, verifier: string, validUntil: string): string =>
  `ALTER ROLE ${identifier(role)} LOGIN PASSWORD ${literal(verifier)} VALID UNTIL ${literal(validUntil)} CONNECTION LIMIT 1`

/** Closes a role. */
export const lock = (role: string): string =>
  `ALTER ROLE ${identifier(role)} NOLOGIN PASSWORD NULL CONNECTION LIMIT 1`

/** Forgets what the session set for its role, which the next one would inherit. */
export const resetSettings = (role: string, database: string): string[] => [
  `ALTER ROLE ${identifier(role)} RESET ALL`,
  `ALTER ROLE ${identifier(role)} IN DATABASE ${identifier(database)} RESET ALL`,
]

/** Puts a role aside that still owns something: locked for good, and its name is free again. */
export const retire = (role: string, retired: string): string =>
  `ALTER ROLE ${identifier(role)} RENAME TO ${identifier(retired)}`

/** An object that a role owns, as pg_identify_object says it: the identity is quoted already. */
export type OwnedObject = { type: string; schema: string | null; identity: string }

/** Hands an object over. */
export const handOver = (owned: OwnedObject, to: string): string =>
  `ALTER ${KEYWORDS[owned.type] ?? owned.type.toUpperCase()} ${owned.identity} OWNER TO ${identifier(to)}`

/**
 * Hands over a schema, or an object in it. PostgreSQL demands that the giver owns the schema and may create schemas:
 * the owner of the profile may create them, and by the GRANT it counts as the schema's owner during this transaction.
 */
export const handOverAs = (role: string, to: string, statement: string): string[] => [
  `GRANT ${identifier(role)} TO ${identifier(to)} WITH INHERIT TRUE, SET FALSE`,
  `SET LOCAL ROLE ${identifier(to)}`,
  statement,
  'SET LOCAL ROLE NONE',
  `REVOKE ${identifier(role)} FROM ${identifier(to)}`,
]

/** Hands over a schema; see `handOverAs`. */
export const handOverSchema = (schema: string, to: string): string =>
  `ALTER SCHEMA ${identifier(schema)} OWNER TO ${identifier(to)}`

const POWERLESS = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'
/** The keywords of ALTER that are not the name of the type: aggregates, functions and procedures share one. */
const KEYWORDS: Readonly<Record<string, string>> = {
  function: 'ROUTINE',
  procedure: 'ROUTINE',
  aggregate: 'ROUTINE',
  'statistics object': 'STATISTICS',
}
