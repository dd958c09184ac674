import { Problem, type Secret } from '@countersign/kernel'
import { developmentToken } from './identity-provider.ts'
import { commandLine, HOME } from './invocation.ts'
import type { Io } from './io.ts'
import { type Paint, paintFor } from './paint.ts'
import { printableJson } from './printable.ts'
import { type GlobalOptions, type Settings, settingsOf } from './settings.ts'

/** Everything that a command works with. */
export type Context = {
  readonly io: Io
  readonly settings: Settings
  readonly paint: Paint
  /** The address of the console, or a problem that says how to give one. */
  consoleUrl(): string
  replayUrl(): string
  /** The token of the caller; fetched once. */
  token(): Promise<Secret<string>>
  /** Prints the answer as JSON where that was asked for, and as text otherwise. */
  print(answer: unknown, text: () => string): void
  /** The line that runs this command in the way in which the caller called us. */
  command(words: string): string
}

export function contextOf(io: Io, options: GlobalOptions): Context {
  const settings = settingsOf(options, io)
  let token: Promise<Secret<string>> | null = null
  return {
    io,
    settings,
    paint: paintFor(io.isTerminal, io.env),
    consoleUrl: () =>
      needed(settings, settings.consoleUrl, ['console', '--console-url or CS_CONSOLE_URL']),
    replayUrl: () =>
      needed(settings, settings.replayUrl, ['replay service', '--replay-url or CS_REPLAY_URL']),
    token: () => (token ??= tokenOf(settings)),
    print: (answer, text) => io.out(settings.json ? `${printableJson(answer, 2)}\n` : text()),
    command: (words) => commandLine(io.invokedAs ?? 'countersign', words, options),
  }
}

/** A name is given with --as on purpose, so it counts for more than a token, which may just lie in the environment. */
async function tokenOf(settings: Settings): Promise<Secret<string>> {
  const { as, token, issuer } = settings
  if (as !== null) {
    const how = ['identity provider', '--issuer or CS_OIDC_ISSUER'] as const
    return developmentToken(needed(settings, issuer, how), as)
  }
  if (token !== null) return token
  throw new Problem('CS_AUTH_REQUIRED', 'nobody said who you are', {
    hint: 'Give a token with --token or CS_TOKEN, or a name of the development identity provider with --as.',
  })
}

/** An address, or a problem that says where one was looked for. */
export function needed(
  { file, instance }: Settings,
  address: string | null,
  [what, how]: readonly [what: string, how: string],
): string {
  if (address !== null) return address
  const looked = file === null ? `: there is no instance ${instance} here or in a folder above` : ''
  throw new Problem('CS_CONFIG_INVALID', `the address of the ${what} is not known${looked}`, {
    hint: `Give it with ${how}, or start a local instance with \`npm run up\` in ${HOME}.`,
  })
}
