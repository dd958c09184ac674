import {
  HARMLESS_FUNCTIONS,
  OTHER_FUNCTION_CLASSES,
  OTHER_FUNCTIONS,
} from './generated/pg-catalog.ts'
import type { Names } from './catalog.ts'
import type { EffectName } from './facts.ts'
import { pathIn } from './search-path.ts'
import { changesReading, IDENTITY_SETTINGS, namesASession, tellsOfWork } from './settings.ts'

/** The effects of calling a function, beyond computing a value. */
export type Call = {
  readonly name: string
  readonly harmless: boolean
  readonly effects: readonly EffectName[]
  readonly why: string
  /** The meaning of names afterwards, where the call sets the search_path. */
  readonly path?: ReturnType<Names['under']>
  /** The setting that it sets, in small letters; `*` where that is not known. */
  readonly sets?: string
  /** Its arguments stay somewhere, or go to somebody else. */
  readonly keepsArguments?: boolean
  /** It returns what users wrote, which is masked whole. */
  readonly showsValues?: boolean
  /** It may read a literal as of a type of the target, already when the statement is prepared. */
  readonly converts?: boolean
  /** Later texts mean the same as before. */
  readonly keepsMeaning?: boolean
  /** It returns no value, whatever else it does. */
  readonly showsNothing?: boolean
  /** It makes values of the types that the row in its arguments has. */
  readonly populates?: boolean
}

/** The class of the functions of that name in pg_catalog, by function-classes.ts; null for a name that it has not seen. */
export const functionClass = (name: string): string | null =>
  HARMLESS_FUNCTIONS.has(name) ? 'harmless' : (CLASSES.get(name) ?? null)

/** True if a function of pg_catalog changes and runs nothing, by its name. */
export const isHarmlessFunction = (name: string): boolean => HARMLESS_FUNCTIONS.has(name)

/**
 * The effects of a call, by an allow-list of PostgreSQL's own functions. `args` are its arguments as far as they are known.
 * Those of a statement that is only prepared are known when it runs.
 *
 * Known limit: an operator is judged by its sign in the text. A sign of pg_catalog that a schema of the search path
 * overloads for types of PostgreSQL itself looks like the built-in one.
 */
export function callOf(
  path: readonly string[],
  args: readonly (string | null)[],
  names: Names,
  { isPreparation = false, isUnusual = false }: CallForm = {},
): Call {
  const name = path.join('.')
  const local = path.at(-1) ?? ''
  const schema = path.length > 1 ? (path.at(-2) ?? '') : null
  if (schema === 'information_schema' && HARMLESS_ELSEWHERE.has(local))
    return { name, harmless: true, effects: [], why: '' }
  // A function of the same name elsewhere may fit the arguments better than the one of pg_catalog; see overloads.ts.
  const builtin =
    schema === 'pg_catalog' || (schema === null && !hidesBuiltin(local, names, isUnusual))
  if (isPlainConversion(schema, local, args.length, names))
    return { name, harmless: true, effects: [], why: '' }
  if (!builtin)
    return {
      ...{ name, harmless: false, effects: ['opaque'], why: `calls ${name}()` },
      converts: names.hasConversion(local),
    }
  // An argument, or its result beside another value, may be cast by code of the target.
  if (names.castsUnasked(local))
    return { name, harmless: false, effects: ['opaque'], why: `calls ${name}(), which casts` }
  if (HARMLESS_FUNCTIONS.has(local))
    return { name, harmless: true, effects: [], why: '', populates: POPULATING.test(local) }
  if (local === 'current_setting' && isPlainSetting(args[0]))
    return { name, harmless: true, effects: [], why: '' }
  const of = CLASSES.get(local)
  // Others see the keys of advisory locks in pg_locks.
  const keepsArguments = KEEPING.has(local) || of === 'session'
  const called = { name, harmless: false, why: `calls ${name}()`, keepsArguments }
  if (of === 'config') {
    if (isPreparation && args.slice(0, 2).includes(null))
      return { ...called, effects: ['session-change'], sets: args[0]?.toLowerCase() ?? '*' }
    return {
      ...called,
      effects: configEffects(args),
      path: pathSet(args, names),
      sets: args[0]?.toLowerCase() ?? '*',
    }
  }
  const effects = SPECIAL.get(local) ?? EFFECTS[of ?? 'internal'] ?? ['opaque']
  return {
    ...called,
    effects,
    showsValues: of === 'values',
    showsNothing: of === 'waits',
    keepsMeaning: of === 'session',
  }
}

/** The form of a call, beside its name and arguments. */
export type CallForm = {
  readonly isPreparation?: boolean
  /** It names arguments, or has VARIADIC or WITHIN GROUP: what it may choose is not compared. */
  readonly isUnusual?: boolean
}

/** True if a routine of the target may be chosen whatever the arguments are, or PostgreSQL has none of that name. */
const hidesBuiltin = (name: string, names: Names, isUnusual: boolean): boolean => {
  if (!names.hasRoutine(name)) return false
  const { code } = names.overloads(name)
  if (functionClass(name) === null || names.hasConversion(name)) return true
  return isUnusual ? code !== 'never' : code === 'always'
}

/** `mood('sad')` is the cast 'sad'::mood where no function has the name. */
const isPlainConversion = (
  schema: string | null,
  name: string,
  count: number,
  names: Names,
): boolean =>
  count === 1 &&
  schema !== 'pg_catalog' &&
  !names.hasRoutine(name) &&
  !CLASSES.has(name) &&
  !HARMLESS_FUNCTIONS.has(name) &&
  names.typeNamed(schema, name).plain

/**
 * The call that `x.name` is when x may have no column of that name: PostgreSQL then takes it for name(x). Null when it
 * can only be a field, or a function that is harmless anyway. The name has no schema: the search path decides.
 */
export function attributeCallOf(name: string, argument: string | null, names: Names): Call | null {
  // The row before it is of a type of the target.
  const isUnusual = hidesBuiltin(name, names, true)
  const mayBeCalled =
    isUnusual ||
    names.castsUnasked(name) ||
    OTHER_FUNCTIONS.has(name) ||
    OF_OTHER_VERSIONS.test(name)
  return mayBeCalled ? callOf([name], [argument], names, { isUnusual }) : null
}

/** The list of functions covers some versions; others have more that begin so, and columns of users do not. */
const OF_OTHER_VERSIONS = /^(?:pg_|lo_|binary_upgrade_)/

/** Functions of information_schema that drivers call by their whole name; it belongs to the superuser, as pg_catalog does. */
const HARMLESS_ELSEWHERE: ReadonlySet<string> = new Set([
  '_pg_expandarray', // JDBC: the columns of a key, in their order.
])

function configEffects([setting = null, value = null]: readonly (string | null)[]): EffectName[] {
  if (setting === null) return ['session-change', 'privilege-change', 'unknown']
  const name = setting.toLowerCase()
  if (changesReading(name, value) || tellsOfWork(name)) return ['session-change', 'unknown']
  if (name === 'application_name' && namesASession(value ?? ''))
    return ['session-change', 'unknown']
  return IDENTITY_SETTINGS.has(name) ? ['session-change', 'privilege-change'] : ['session-change']
}

const pathSet = (
  [setting = null, value = null]: readonly (string | null)[],
  names: Names,
): ReturnType<Names['under']> =>
  setting?.toLowerCase() === 'search_path'
    ? names.under(value === null ? null : pathIn(value))
    : 'same'

/** Settings of extensions and applications have a dot, and may hold secrets. */
const isPlainSetting = (name: string | null | undefined): boolean =>
  typeof name === 'string' && /^[a-zA-Z_]+$/.test(name)

/** Functions that carry arguments past masking: to ParameterStatus, other sessions, sequences, large objects, the WAL. */
const KEEPING: ReadonlySet<string> = new Set([
  ...['set_config', 'pg_notify', 'setval', 'pg_logical_emit_message'],
  ...['lo_from_bytea', 'lo_put', 'lowrite'],
])

/** The effects of the classes of functions; a class that is not listed can have any effect. */
const EFFECTS: Readonly<Record<string, readonly EffectName[]>> = {
  values: ['read'],
  session: ['session-change'],
  transaction: ['transaction'],
  writes: ['write'],
}

/** The class of each function of pg_catalog that is not harmless. */
const CLASSES: ReadonlyMap<string, string> = new Map(
  Object.entries(OTHER_FUNCTION_CLASSES).flatMap(([name, words]) =>
    words
      .trim()
      .split(/\s+/)
      .map((word): [string, string] => [word, name]),
  ),
)

/**
 * True if a function of pg_catalog may take a literal for a value of the type that stands beside it, or for an array of that
 * type: its parameters are polymorphic. A function that reads scalars alone takes a domain for the type below it.
 */
export const takesTypeOfOthers = (name: string): boolean =>
  OF_ARRAYS.test(name) || POLYMORPHIC.has(name)

const OF_ARRAYS = /^(?:array|elem_|range|multirange)/
const POLYMORPHIC: ReadonlySet<string> = new Set([
  ...['unnest', 'trim_array', 'width_bucket', 'lag', 'lead', 'first_value', 'last_value'],
  ...['nth_value', 'any_value', 'mode', 'percentile_disc'],
])

/** Functions that fill a row from JSON: the type of each column reads its value. */
const POPULATING = /^jsonb?_populate_record/

const SPECIAL: ReadonlyMap<string, readonly EffectName[]> = new Map([
  ['pg_notify', ['notify']],
  ['lo_import', ['opaque', 'program']],
  ['lo_export', ['opaque', 'program']],
])
