/** Settings that only change presentation, names or limits of the session; also those that it may begin with. */
export const HARMLESS_SETTINGS: ReadonlySet<string> = new Set([
  ...['application_name', 'datestyle', 'intervalstyle', 'timezone', 'extra_float_digits'],
  ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'],
  ...['transaction_timeout', 'idle_session_timeout', 'client_min_messages', 'bytea_output'],
  ...['lc_messages', 'lc_numeric', 'lc_monetary', 'lc_time', 'work_mem', 'jit'],
])

/** Settings that say whose rights the session uses. */
export const IDENTITY_SETTINGS: ReadonlySet<string> = new Set(['role', 'session_authorization'])

/**
 * Settings with which PostgreSQL tells about its own work, to the log or, below NOTICE, to the client: plans of every later
 * statement, Countersign's own among them. No application needs them.
 */
export const tellsOfWork = (name: string): boolean => /^(?:debug|log|trace)_/i.test(name)

/**
 * True if the setting makes PostgreSQL read texts otherwise than our parser does, which then proves nothing:
 * with standard_conforming_strings off, or in an encoding like SJIS, a literal ends elsewhere.
 */
export function changesReading(name: string, value: string | null): boolean {
  const allowed = READING.get(name.toLowerCase())
  return allowed !== undefined && (value === null || !allowed.includes(value.toLowerCase()))
}

/**
 * Settings under which PostgreSQL reads texts as our parser does. A session begins with them, whatever `ALTER DATABASE`,
 * `ALTER ROLE` or a configuration file say; those that PostgreSQL reports are looked at before the first request.
 */
export const READ_UNDER: ReadonlyMap<string, string> = new Map([
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
])

/**
 * Encodings of a database in which PostgreSQL cuts names where we do: it keeps the first 63 bytes of a name in its own
 * encoding, so that in another one two names could be the same to us and not to it. SQL_ASCII keeps bytes as they come.
 */
export const NAMED_ALIKE_IN: ReadonlySet<string> = new Set(['UTF8', 'SQL_ASCII'])

/** True if an application would be named as only sessions of Countersign are, in the log of the target for example. */
export const namesASession = (applicationName: string): boolean =>
  /countersign\//i.test(applicationName)

/**
 * True if a session may begin with a setting as far as no policy has a say: it does no more in a StartupMessage than in SET.
 *
 * Known limit: a setting that a library of the target takes at the start only is not known by its name.
 */
export const mayBeginWith = (name: string, value: string): boolean =>
  SETTING_NAME.test(name) &&
  !NOT_AT_START.has(name.toLowerCase()) &&
  !tellsOfWork(name) &&
  !changesReading(name, value)

/** True for what drivers give at the start without being asked, and the path, which has rules of its own. */
export const isGivenUnasked = (name: string): boolean =>
  HARMLESS_SETTINGS.has(name) || name === 'search_path'

/** True for settings whose only values are those that a session has anyway. */
export const isSettledAtStart = (name: string): boolean => READING.has(name.toLowerCase())

/** The most settings that a session may begin with, each of which policy is asked about. */
export const START_SETTINGS_MAX = 64

const SETTING_NAME = /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)*$/i
/** Fields of the StartupMessage itself, whose rights are used, and settings that PostgreSQL takes there and in no SET. */
const NOT_AT_START: ReadonlySet<string> = new Set([
  ...['user', 'database', 'options', 'replication', ...IDENTITY_SETTINGS],
  ...['local_preload_libraries', 'session_preload_libraries', 'ignore_system_indexes'],
  ...['pre_auth_delay', 'post_auth_delay', 'jit_debugging_support', 'jit_profiling_support'],
])

const READING: ReadonlyMap<string, readonly string[]> = new Map([
  ['standard_conforming_strings', ['on', 'true', 'yes', '1', 't', 'y']],
  ['client_encoding', ['utf8', 'utf-8', 'unicode']],
  ['backslash_quote', ['safe_encoding']],
])
