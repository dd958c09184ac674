import { identifier } from './sql/quote.ts'

/** What a role gives to another one on each object of a kind that it makes, as `DEFAULT_PRIVILEGES` says it. */
export type DefaultPrivilege = {
  /** Where; null for everywhere. */
  readonly schema: string | null
  /** The letter of pg_default_acl. */
  readonly kind: string
  /** To whom; null for everybody. */
  readonly grantee: string | null
  readonly privilege: string
  readonly isGrantable: boolean
}

/** What PostgreSQL gives by itself: everybody may call functions and use types (`acldefault`). */
export const OF_EVERY_ROLE: readonly DefaultPrivilege[] = [
  { schema: null, kind: 'T', grantee: null, privilege: 'USAGE', isGrantable: false },
  { schema: null, kind: 'f', grantee: null, privilege: 'EXECUTE', isGrantable: false },
]

/**
 * What to run so that what a role makes is as open to others as what the owner makes, and no more. PostgreSQL looks at the
 * default privileges of who creates an object, at that moment: so a GRANT or REVOKE in the same text counts after them.
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
