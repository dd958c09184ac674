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

/** True if an application would be named as only sessions of Countersign are, in the log of the target for example. */
export const namesASession = (applicationName: string): boolean =>
  /^\s*countersign\//i.test(applicationName)

const READING: ReadonlyMap<string, readonly string[]> = new Map([
  ['standard_conforming_strings', ['on', 'true', 'yes', '1', 't', 'y']],
  ['client_encoding', ['utf8', 'utf-8', 'unicode']],
  ['backslash_quote', ['safe_encoding']],
])
