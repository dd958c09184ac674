/**
 * The schemas that a value of `search_path` names, as PostgreSQL splits it (SplitIdentifierString):
 *
 *   path := [name {',' name}]     name := word | '"' {any | '""'} '"'
 *
 * Words are folded to lower case in ASCII only. A vertical tab is a blank only since PostgreSQL 16, so it is none here. Null for
 * a value that is not of this form.
 */
export function pathIn(value: string): readonly string[] | null {
  if (/^[ \t\n\r\f]*$/.test(value)) return []
  const names: string[] = []
  for (let at = 0; ;) {
    NAME.lastIndex = at
    const found = NAME.exec(value)
    if (found === null) return null
    const [all, quoted, word = ''] = found
    names.push(
      quoted === undefined
        ? word.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
        : quoted.replaceAll('""', '"'),
    )
    at += all.length
    if (at === value.length) return names
    if (value[at] !== ',') return null
    at++
  }
}

/** The paths that a session may have. */
export type PathRules = {
  /** The path of the target, which a session begins with. */
  readonly own: readonly string[]
  /** The paths that its profile lists; a name that ends in `*` stands for all schemas that begin so. */
  readonly others: readonly (readonly string[])[]
  /** No schema has the name of the role that the session acts as, so `"$user"` names none. */
  readonly skipsUser: boolean
}

/** The paths that a profile allows beside that of the target. A role that may create schemas may create one with its own name. */
export const pathRulesOf = (
  own: readonly string[],
  {
    searchPaths,
    mayCreate,
  }: { readonly searchPaths: PathRules['others']; readonly mayCreate: boolean },
): PathRules => ({ own, others: searchPaths, skipsUser: !mayCreate })

/** The path along which names are decided where a session has this one; null where it may not have it. */
export function meantPath(
  path: readonly string[] | null,
  { own, others, skipsUser }: PathRules,
): readonly string[] | null {
  if (path === null || path.length > PATH_SCHEMAS_MAX || path.some(isCut)) return null
  const named = path.filter((schema) => !(skipsUser && schema === '$user'))
  if (keepsNames(named, own)) return own
  return others.some((allowed) => isAlong(named, allowed)) ? named : null
}

/** PostgreSQL cuts a longer name off, so it means another schema. */
const isCut = (schema: string): boolean => Buffer.byteLength(schema) > NAME_BYTES_MAX

export const isSamePath = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((schema, index) => schema === other[index])

/**
 * True if names along `path` mean the same as along the schemas that a backend looks through, which are those that exist and
 * that its role may use. Where it passes over one before another that it looks through, a name means something else there;
 * behind the last one names mean nothing.
 */
export function isLookedThrough(path: readonly string[], looked: readonly string[]): boolean {
  const plain = [...new Set(path)].filter((schema) => schema !== '' && !TEMPORARY.test(schema))
  const through = looked.filter((schema) => !TEMPORARY.test(schema))
  if (through.every((schema) => schema === 'pg_catalog')) return plain.indexOf('pg_catalog') <= 0
  return through.every((schema, index) => schema === plain[index])
}

/** The schema for temporary relations is looked through first or last, and has no relation that policy knows. */
const TEMPORARY = /^pg_temp(?:_\d+)?$/

const isAlong = (path: readonly string[], allowed: readonly string[]): boolean =>
  path.length === allowed.length &&
  path.every((schema, index) => isOf(schema, allowed[index] ?? ''))

/** True if a schema is the allowed one or matches its pattern. PostgreSQL's own, pg_temp too, match no pattern. */
const isOf = (schema: string, allowed: string): boolean =>
  allowed.endsWith('*')
    ? schema.startsWith(allowed.slice(0, -1)) && !schema.startsWith('pg_')
    : schema === allowed

/**
 * True if names along this path mean the same as along the target's own, or nothing at all: the same path, or
 * pg_catalog alone, which every path has, where nothing comes before it.
 */
export function keepsNames(path: readonly string[] | null, own: readonly string[]): boolean {
  if (path === null) return false
  // PostgreSQL passes over an empty name: `SET search_path = ''` is such a path.
  const named = path.filter((schema) => schema !== '')
  if (isSamePath(named, own)) return true
  return own.indexOf('pg_catalog') <= 0 && named.every((schema) => schema === 'pg_catalog')
}

const NAME = /[ \t\n\r\f]*(?:"((?:[^"]|"")*)"|([^", \t\n\r\f\v]+))[ \t\n\r\f]*/y
/** NAMEDATALEN without its zero. */
const NAME_BYTES_MAX = 63
const PATH_SCHEMAS_MAX = 64
