/**
 * The schemas that a value of `search_path` names, as PostgreSQL splits it (SplitIdentifierString):
 *
 *   path := [name {',' name}]     name := word | '"' {any | '""'} '"'
 *
 * Words are folded to lower case in ASCII only. Null for what is not of this form.
 */
export function pathIn(value: string): readonly string[] | null {
  if (/^[ \t\n\r\f\v]*$/.test(value)) return []
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

/**
 * Whether along this path names mean what they mean along the target's own, or nothing at all: the same path, or
 * pg_catalog alone, which every path has, where nothing comes before it.
 */
export function keepsNames(path: readonly string[] | null, own: readonly string[]): boolean {
  if (path === null) return false
  // PostgreSQL passes over a name of no letters: `SET search_path = ''` is such a path.
  const named = path.filter((schema) => schema !== '')
  if (named.length === own.length && named.every((schema, index) => schema === own[index]))
    return true
  return own.indexOf('pg_catalog') <= 0 && named.every((schema) => schema === 'pg_catalog')
}

const NAME = /[ \t\n\r\f\v]*(?:"((?:[^"]|"")*)"|([^", \t\n\r\f\v]+))[ \t\n\r\f\v]*/y
