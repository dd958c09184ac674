import { HARMLESS_FUNCTIONS, OTHER_FUNCTIONS } from './generated/pg-catalog.ts'
import type { Names } from './catalog.ts'
import type { EffectName } from './facts.ts'
import { pathIn } from './search-path.ts'
import { changesReading, IDENTITY_SETTINGS, namesASession } from './settings.ts'

/** What calling a function does beyond computing a value. */
export type Call = {
  readonly name: string
  readonly harmless: boolean
  readonly effects: readonly EffectName[]
  readonly why: string
  readonly changesNames?: boolean
  /** Its arguments stay somewhere, or go to somebody else. */
  readonly keepsArguments?: boolean
}

/**
 * What a call does, by an allow-list of PostgreSQL's own functions. `args` are its arguments as far as they are constants.
 *
 * Known limits: an operator or a cast is judged by the names in the text. A sign of pg_catalog that a schema of the
 * search path overloads, and a cast *from* a user's type, look like the built-in ones.
 */
export function callOf(
  path: readonly string[],
  args: readonly (string | null)[],
  names: Names,
): Call {
  const name = path.join('.')
  const local = path.at(-1) ?? ''
  const schema = path.length > 1 ? (path.at(-2) ?? '') : null
  if (schema === 'information_schema' && HARMLESS_ELSEWHERE.has(local))
    return { name, harmless: true, effects: [], why: '' }
  // A function of the same name elsewhere may fit the arguments better than the one of pg_catalog.
  const builtin = schema === 'pg_catalog' || (schema === null && !names.hasRoutine(local))
  if (!builtin) return { name, harmless: false, effects: ['opaque'], why: `calls ${name}()` }
  if (HARMLESS_FUNCTIONS.has(local)) return { name, harmless: true, effects: [], why: '' }
  if (local === 'current_setting' && isPlainSetting(args[0]))
    return { name, harmless: true, effects: [], why: '' }
  const keepsArguments = KEEPING.has(local)
  const called = { name, harmless: false, why: `calls ${name}()`, keepsArguments }
  if (local !== 'set_config') return { ...called, effects: SPECIAL.get(local) ?? ['opaque'] }
  return { ...called, effects: configEffects(args), changesNames: setsPath(args, names) }
}

/**
 * What `x.name` does when x may have no column of that name: PostgreSQL then takes it for the call name(x). Null when it
 * can only be a field, or a function that is harmless anyway. The name has no schema: it is one of the search path.
 */
export function attributeCallOf(name: string, argument: string | null, names: Names): Call | null {
  const mayBeCalled =
    names.hasRoutine(name) || OTHER_FUNCTIONS.has(name) || OF_OTHER_VERSIONS.test(name)
  return mayBeCalled ? callOf([name], [argument], names) : null
}

/** The list of functions is that of one version; others have more with these beginnings, and nobody's columns do. */
const OF_OTHER_VERSIONS = /^(?:pg_|lo_|binary_upgrade_)/

/** Of information_schema, which belongs to the superuser as pg_catalog does: what drivers call by its whole name. */
const HARMLESS_ELSEWHERE: ReadonlySet<string> = new Set([
  '_pg_expandarray', // JDBC: the columns of a key, in their order.
])

function configEffects([setting = null, value = null]: readonly (string | null)[]): EffectName[] {
  if (setting === null) return ['session-change', 'privilege-change', 'unknown']
  const name = setting.toLowerCase()
  if (changesReading(name, value)) return ['session-change', 'unknown']
  if (name === 'application_name' && namesASession(value ?? ''))
    return ['session-change', 'unknown']
  return IDENTITY_SETTINGS.has(name) ? ['session-change', 'privilege-change'] : ['session-change']
}

function setsPath(
  [setting = null, value = null]: readonly (string | null)[],
  names: Names,
): boolean {
  if (setting?.toLowerCase() !== 'search_path') return false
  return value === null || !names.areKept(pathIn(value))
}

/** Settings of extensions and applications have a dot, and may hold secrets. */
const isPlainSetting = (name: string | null | undefined): boolean =>
  typeof name === 'string' && /^[a-zA-Z_]+$/.test(name)

/** What masking does not see, it must not come to: ParameterStatus, other sessions, sequences, large objects, the WAL. */
const KEEPING: ReadonlySet<string> = new Set([
  ...['set_config', 'pg_notify', 'setval', 'pg_logical_emit_message'],
  ...['lo_from_bytea', 'lo_put', 'lowrite'],
])

const SPECIAL: ReadonlyMap<string, readonly EffectName[]> = new Map([
  ['nextval', ['write']],
  ['setval', ['write']],
  ['pg_notify', ['session-change']],
  ['lo_import', ['opaque', 'program']],
  ['lo_export', ['opaque', 'program']],
])
