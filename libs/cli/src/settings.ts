import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf, Problem, Secret } from '@countersign/kernel'
import { HOME } from './invocation.ts'
import type { Io } from './io.ts'
import { json } from './json.ts'

/** The options that every command takes. */
export type GlobalOptions = {
  readonly json?: boolean
  readonly instance?: string
  readonly consoleUrl?: string
  readonly replayUrl?: string
  readonly issuer?: string
  readonly token?: string
  readonly as?: string
}

/** The addresses of the services, and the caller. A value that was not given anywhere is null. */
export type Settings = {
  readonly json: boolean
  readonly instance: string
  readonly consoleUrl: string | null
  readonly replayUrl: string | null
  readonly issuer: string | null
  readonly token: Secret<string> | null
  readonly as: string | null
  /** The file that the addresses come from, where there is one. */
  readonly file: string | null
}

/**
 * Options first, then the environment, then `.countersign/<instance>/cli.json` here, in a folder above, or in the checkout
 * that this command belongs to.
 */
export function settingsOf(
  options: GlobalOptions,
  io: Pick<Io, 'env' | 'workingDirectory'>,
  home: string = HOME,
): Settings {
  const instance = options.instance ?? io.env['CS_INSTANCE'] ?? 'demo'
  if (!/^[A-Za-z0-9_-]+$/.test(instance))
    throw new Problem('CS_BAD_REQUEST', 'an instance is named with letters, digits, - and _')
  const file = fileOf(instance, io.workingDirectory, home)
  const inFile = file === null ? {} : contentOf(file)
  const url = (option: string | undefined, variable: string, name: string): string | null => {
    const said = option ?? nonEmpty(io.env[variable])
    if (said !== undefined) return addressOf(said, variable)
    const found = json.textOrNull(inFile, name)
    return found === null ? null : localAddressOf(found, file ?? '')
  }
  const token = options.token ?? nonEmpty(io.env['CS_TOKEN'])
  return {
    json: options.json ?? false,
    instance,
    consoleUrl: url(options.consoleUrl, 'CS_CONSOLE_URL', 'consoleUrl'),
    replayUrl: url(options.replayUrl, 'CS_REPLAY_URL', 'replayUrl'),
    issuer: url(options.issuer, 'CS_OIDC_ISSUER', 'issuer'),
    token: token === undefined ? null : new Secret(token),
    as: options.as ?? null,
    file,
  }
}

function fileOf(instance: string, from: string, home: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, '.countersign', instance, 'cli.json')
    if (existsSync(file)) return file
    if (dirname(folder) === folder) break
  }
  const own = join(home, '.countersign', instance, 'cli.json')
  return existsSync(own) ? own : null
}

function contentOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Problem('CS_CONFIG_INVALID', `${file} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: 'Start the instance again, or remove the file.',
    })
  }
}

/** A token must not travel in clear, except to this machine. */
function addressOf(text: string, variable: string): string {
  if (!URL.canParse(text)) throw new Problem('CS_BAD_REQUEST', `${variable} is not a URL: ${text}`)
  const url = new URL(text)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal(url)))
    return text.replace(/\/+$/, '')
  throw new Problem(
    'CS_BAD_REQUEST',
    `${variable} must be https, since a token is sent there: ${text}`,
  )
}

/** The file may come with a folder that somebody else made: it must not send our token anywhere. */
function localAddressOf(text: string, file: string): string {
  const address = addressOf(text, file)
  if (isLocal(new URL(address))) return address
  throw new Problem(
    'CS_CONFIG_INVALID',
    `${file} may only name addresses of this machine, not ${text}`,
    {
      hint: 'Give the address with --console-url, --replay-url or --issuer.',
    },
  )
}

const isLocal = ({ hostname }: URL): boolean =>
  ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)
