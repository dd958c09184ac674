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
 * Admits the parameters of a StartupMessage, or names those that are refused. `mayBegin` says of each setting whether a session
 * may begin with it.
 */
export function startupSettings(
  parameters: ReadonlyMap<string, string>,
  mayBegin: MayBegin,
): Result<StartupSettings, readonly string[]> {
  const entries = [...parameters].map(([name, value]) => understood(name, value, mayBegin))
  const user = parameters.get('user') ?? ''
  const given = optionsOf(entries)
  const options = given?.map(([name, value]) => settingOf(name, value, mayBegin)) ?? []
  const refusedNames = [...entries, ...options].flatMap((entry) =>
    entry.as === 'refused' ? [entry.name] : [],
  )
  if (user === '' && !refusedNames.includes('user')) refusedNames.push('user')
  if (given === null) refusedNames.push('options')
  // As in PostgreSQL the parameters count more than `options`, and there the last counts.
  const settings = new Map(
    options.flatMap((entry) =>
      entry.as === 'setting' ? [[entry.name.toLowerCase(), entry.value]] : [],
    ),
  )
  // Settings ignore case, so two spellings of one name would leave open which counts.
  const spelt = new Set<string>()
  for (const entry of entries) {
    if (entry.as !== 'setting') continue
    const name = entry.name.toLowerCase()
    if (spelt.has(name)) refusedNames.push(entry.name)
    spelt.add(name)
    settings.set(name, entry.value)
  }
  if (refusedNames.length > 0) return failed(refusedNames)
  settings.set('client_encoding', 'UTF8')
  const encoding = [...entries, ...options].find((entry) => entry.as === 'encoding')
  return ok({
    user,
    database: parameters.get('database') || user,
    settings,
    otherEncoding: encoding?.as === 'encoding' ? encoding.value : null,
    unknownOptions: entries.flatMap((entry) => (entry.as === 'option' ? [entry.name] : [])),
  })
}

type MayBegin = (name: string, value: string) => boolean

type Entry =
  | {
      readonly as: 'setting' | 'options' | 'encoding'
      readonly name: string
      readonly value: string
    }
  | { readonly as: 'identity' | 'option' | 'nothing' | 'refused'; readonly name: string }

function understood(name: string, value: string, mayBegin: MayBegin): Entry {
  if (name === 'user' || name === 'database') return { as: 'identity', name }
  if (name.startsWith('_pq_.')) return { as: 'option', name }
  if (name === 'options') return { as: 'options', name, value }
  if (name === 'replication')
    return { as: NO.has(value.toLowerCase()) ? 'nothing' : 'refused', name }
  return settingOf(name, value, mayBegin)
}

function settingOf(name: string, value: string, mayBegin: MayBegin): Entry {
  if (name.toLowerCase() === 'client_encoding') return encodingOf(name, value)
  return mayBegin(name, value) ? { as: 'setting', name, value } : { as: 'refused', name }
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
