import { failed, ok, type Result } from '@countersign/kernel'
import { settingsInOptions } from './startup-options.ts'

/** The settings that an agent gave for its session, after the check of each. */
export type StartupSettings = {
  readonly user: string
  /** As in PostgreSQL, the name of the user where none is given. */
  readonly database: string
  /** Settings to give to the target; always with `client_encoding` UTF8. */
  readonly settings: ReadonlyMap<string, string>
  /** The encoding that was asked for, where it is not the one that is spoken. */
  readonly otherEncoding: string | null
  /** Protocol options (`_pq_.…`) that are not known here; they are answered by NegotiateProtocolVersion. */
  readonly unknownOptions: readonly string[]
}

/**
 * Admits the parameters of a StartupMessage, or names those that are refused. `allowed` are the settings that a session may
 * begin with, in lower case: those that `SET` allows. `role` and the like would change what a later statement may do, so they
 * are not among them.
 */
export function startupSettings(
  parameters: ReadonlyMap<string, string>,
  allowed: ReadonlySet<string>,
): Result<StartupSettings, readonly string[]> {
  const entries = [...parameters].map(([name, value]) => understood(name, value, allowed))
  const user = parameters.get('user') ?? ''
  const refusedNames = entries.flatMap((entry) => (entry.as === 'refused' ? [entry.name] : []))
  if (user === '' && !refusedNames.includes('user')) refusedNames.push('user')
  const options = optionsOf(entries)
  for (const [name] of options ?? []) if (!allowed.has(name.toLowerCase())) refusedNames.push(name)
  if (options === null) refusedNames.push('options')
  // As in PostgreSQL the parameters count more than `options`, and there the last counts.
  const settings = new Map((options ?? []).map(([name, value]) => [name.toLowerCase(), value]))
  // Settings ignore case, so two spellings of one name would leave open which counts.
  const given = new Set<string>()
  for (const entry of entries) {
    if (entry.as !== 'setting') continue
    const name = entry.name.toLowerCase()
    if (given.has(name)) refusedNames.push(entry.name)
    given.add(name)
    settings.set(name, entry.value)
  }
  if (refusedNames.length > 0) return failed(refusedNames)
  settings.set('client_encoding', 'UTF8')
  const encoding = entries.find((entry) => entry.as === 'encoding')
  return ok({
    user,
    database: parameters.get('database') || user,
    settings,
    otherEncoding: encoding?.as === 'encoding' ? encoding.value : null,
    unknownOptions: entries.flatMap((entry) => (entry.as === 'option' ? [entry.name] : [])),
  })
}

type Entry =
  | {
      readonly as: 'setting' | 'options' | 'encoding'
      readonly name: string
      readonly value: string
    }
  | { readonly as: 'identity' | 'option' | 'nothing' | 'refused'; readonly name: string }

function understood(name: string, value: string, allowed: ReadonlySet<string>): Entry {
  if (name === 'user' || name === 'database') return { as: 'identity', name }
  if (name.startsWith('_pq_.')) return { as: 'option', name }
  if (name === 'options') return { as: 'options', name, value }
  if (name === 'replication')
    return { as: NO.has(value.toLowerCase()) ? 'nothing' : 'refused', name }
  const setting = name.toLowerCase()
  if (setting === 'client_encoding') return encodingOf(name, value)
  return allowed.has(setting) ? { as: 'setting', name, value } : { as: 'refused', name }
}

/** The settings in `options`; none where it is not given, null where it asks for more. */
function optionsOf(entries: readonly Entry[]): (readonly [string, string])[] | null {
  const options = entries.find((entry) => entry.as === 'options')
  return options?.as === 'options' ? settingsInOptions(options.value) : []
}

/**
 * The server ignores case and everything but letters and digits in the name of an encoding; asyncpg even sends quotes. A
 * client of an encoding of single bytes can speak UTF-8 instead, once it is told; of another one it would send nonsense.
 */
function encodingOf(name: string, value: string): Entry {
  const plain = value.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (UTF8_NAMES.has(plain)) return { as: 'nothing', name }
  return SINGLE_BYTES.test(plain) ? { as: 'encoding', name, value } : { as: 'refused', name }
}

const UTF8_NAMES: ReadonlySet<string> = new Set(['utf8', 'unicode'])

/** Encodings of single bytes; psql asks for `SQL_ASCII` where no locale is set. */
const SINGLE_BYTES =
  /^(?:sqlascii|latin\d{1,2}|iso8859\d{1,2}|(?:win|windows)\d{3,4}|koi8[ru]?|alt|win|abc|tcvn\d*|vscii)$/

const NO: ReadonlySet<string> = new Set(['false', 'off', 'no', '0'])
