import { failed, ok, type Result } from '@countersign/kernel'

/** What an agent may say about its session, understood. */
export type StartupSettings = {
  readonly user: string
  /** As in PostgreSQL, the name of the user where none is given. */
  readonly database: string
  /** Settings to give to the target under their usual names; always with `client_encoding` UTF8. */
  readonly settings: ReadonlyMap<string, string>
  /** Protocol options (`_pq_.…`) that are not known here; they are answered by NegotiateProtocolVersion. */
  readonly unknownOptions: readonly string[]
}

/**
 * Admits the parameters of a StartupMessage by an allow-list, or names those that are refused. `options`, `search_path`,
 * `role` and the like would change what a later statement means, so they are not on it.
 */
export function startupSettings(
  parameters: ReadonlyMap<string, string>,
): Result<StartupSettings, readonly string[]> {
  const entries = [...parameters].map(([name, value]) => understood(name, value))
  const user = parameters.get('user') ?? ''
  const refusedNames = entries.flatMap((entry) => (entry.as === 'refused' ? [entry.name] : []))
  if (user === '' && !refusedNames.includes('user')) refusedNames.push('user')
  // Settings ignore case, so two spellings of one name would leave open which counts.
  const settings = new Map<string, string>()
  for (const entry of entries) {
    if (entry.as !== 'setting') continue
    if (settings.has(entry.name)) refusedNames.push(entry.name)
    settings.set(entry.name, entry.value)
  }
  if (refusedNames.length > 0) return failed(refusedNames)
  settings.set('client_encoding', 'UTF8')
  return ok({
    user,
    database: parameters.get('database') || user,
    settings,
    unknownOptions: entries.flatMap((entry) => (entry.as === 'option' ? [entry.name] : [])),
  })
}

type Entry =
  | { readonly as: 'setting'; readonly name: string; readonly value: string }
  | { readonly as: 'identity' | 'option' | 'nothing' | 'refused'; readonly name: string }

function understood(name: string, value: string): Entry {
  if (name === 'user' || name === 'database') return { as: 'identity', name }
  if (name.startsWith('_pq_.')) return { as: 'option', name }
  if (name === 'replication')
    return { as: NO.has(value.toLowerCase()) ? 'nothing' : 'refused', name }
  const setting = SETTINGS.get(name.toLowerCase())
  if (setting === undefined) return { as: 'refused', name }
  const isAdmitted = setting !== 'client_encoding' || isUtf8Encoding(value)
  return isAdmitted ? { as: 'setting', name: setting, value } : { as: 'refused', name }
}

/** The server ignores case and everything but letters and digits in the name of an encoding; asyncpg even sends quotes. */
const isUtf8Encoding = (value: string): boolean =>
  UTF8_NAMES.has(value.toLowerCase().replace(/[^a-z0-9]/g, ''))

const UTF8_NAMES: ReadonlySet<string> = new Set(['utf8', 'unicode'])

const NO: ReadonlySet<string> = new Set(['false', 'off', 'no', '0'])

const SETTINGS: ReadonlyMap<string, string> = new Map(
  [
    'application_name',
    'client_encoding',
    'DateStyle',
    'TimeZone',
    'IntervalStyle',
    'extra_float_digits',
  ].map((name) => [name.toLowerCase(), name]),
)
