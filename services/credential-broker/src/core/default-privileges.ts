import { identifier } from './sql/quote.ts'

/** A privilege that a role gives to another one on each object of a kind that it makes; see `DEFAULT_PRIVILEGES`. */
export type DefaultPrivilege = {
  /** The schema in which it counts; null for everywhere. */
  readonly schema: string | null
  /** The letter of pg_default_acl. */
  readonly kind: string
  /** The role that gets the privilege; null for everybody. */
  readonly grantee: string | null
  readonly privilege: string
  readonly isGrantable: boolean
}

/** The defaults of PostgreSQL itself: everybody may call functions and use types (`acldefault`). */
export const OF_EVERY_ROLE: readonly DefaultPrivilege[] = [
  { schema: null, kind: 'T', grantee: null, privilege: 'USAGE', isGrantable: false },
  { schema: null, kind: 'f', grantee: null, privilege: 'EXECUTE', isGrantable: false },
]

/**
 * The statements that make the objects of a role as open to others as those of the owner, and no more. PostgreSQL uses
 * the default privileges of the creator at that moment: so a GRANT or REVOKE in the same text counts after them.
 */
export function mirrored(
  role: string,
  has: readonly DefaultPrivilege[],
  wanted: readonly DefaultPrivilege[],
): string[] {
  const alter = ({ schema, kind }: DefaultPrivilege): string =>
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(role)}` +
    (schema === null ? '' : ` IN SCHEMA ${identifier(schema)}`) +
    ` %s ON ${KINDS[kind] ?? ''}`
  const to = ({ grantee }: DefaultPrivilege): string =>
    grantee === null ? 'PUBLIC' : identifier(grantee)
  const differing = (
    these: readonly DefaultPrivilege[],
    those: readonly DefaultPrivilege[],
  ): DefaultPrivilege[] => {
    const names = new Set(those.map((one) => JSON.stringify(one)))
    return these.filter((one) => one.kind in KINDS && !names.has(JSON.stringify(one)))
  }
  return [
    ...differing(has, wanted).map(
      (one) => `${alter(one).replace('%s', `REVOKE ${one.privilege}`)} FROM ${to(one)}`,
    ),
    ...differing(wanted, has).map(
      (one) =>
        `${alter(one).replace('%s', `GRANT ${one.privilege}`)} TO ${to(one)}` +
        (one.isGrantable ? ' WITH GRANT OPTION' : ''),
    ),
  ]
}

const KINDS: Readonly<Record<string, string>> = {
  r: 'TABLES',
  S: 'SEQUENCES',
  f: 'ROUTINES',
  T: 'TYPES',
  n: 'SCHEMAS',
}
