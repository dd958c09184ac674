import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { answerOf } from '../http.ts'
import { json } from '../json.ts'
import { oneLine } from '../printable.ts'
import { type GlobalOptions } from '../settings.ts'
import { sessionsIn } from './sessions.ts'

/** Prints the possible last words, one a line; nothing where they cannot be found out. */
export async function complete(
  { io }: Context,
  words: readonly string[],
  program: Command,
): Promise<void> {
  const typed = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const command = commandIn(program, before)
  const fitting = (some: readonly string[]): string[] =>
    some.filter((each) => each.startsWith(typed))
  const found = await candidates().catch(() => [])
  io.out(
    fitting(found)
      .map((each) => `${oneLine(each)}\n`)
      .join(''),
  )

  async function candidates(): Promise<readonly string[]> {
    const option = [...command.options, ...program.options].find(({ long, short }) =>
      [long, short].includes(before.at(-1) ?? ''),
    )
    if (option !== undefined && (option.required || option.optional)) {
      if (option.argChoices !== undefined) return option.argChoices
      return named(option.long ?? '')
    }
    if (typed.startsWith('-'))
      return [...command.options, ...program.options].flatMap(({ long }) => long ?? [])
    if (command.commands.length > 0) {
      return command.commands.map((each) => each.name()).filter((name) => !name.startsWith('_'))
    }
    const argument = command.registeredArguments[0]
    return argument?.argChoices ?? named(argument?.name() ?? '')
  }

  /** The values that an argument or option of this name may have. */
  async function named(name: string): Promise<readonly string[]> {
    const context = contextOf(io, globalOptions(program, before))
    const all = async (url: string): Promise<unknown> =>
      answerOf({ url, token: await context.token(), limitMs: LIMIT_MS })
    switch (name) {
      case 'request': {
        const wanted = ['show', 'requests'].includes(command.name()) ? 'all' : 'pending'
        const answer = await all(`${context.consoleUrl()}/v1/requests?status=${wanted}`)
        return json.list(answer, 'requests').map((each) => json.text(each, 'requestId'))
      }
      case 'session':
        return sessionsIn(await all(`${context.replayUrl()}/v1/sessions`)).map((each) =>
          json.text(each, 'sessionId'),
        )
      case '--profile': {
        const answer = await all(`${context.consoleUrl()}/v1/profiles`)
        return json.list(answer, 'profiles').map((each) => json.text(each, 'name'))
      }
      case 'name': {
        const answer = await all(`${context.consoleUrl()}/v1/catalog`)
        return json.list(answer, 'definitions').map((each) => json.text(each, 'name'))
      }
      case '--type':
        return Object.keys((await import('@countersign/contracts')).SCHEMAS)
      case '--as':
        return DEVELOPMENT_NAMES
      default:
        return []
    }
  }
}

/** The command that the words name, or the program itself. */
function commandIn(program: Command, words: readonly string[]): Command {
  let command = program
  for (const word of words)
    command = command.commands.find((each) => each.name() === word) ?? command
  return command
}

/** The global options among the words; those of commands are passed over. */
function globalOptions(program: Command, words: readonly string[]): GlobalOptions {
  const said: Record<string, string | boolean> = {}
  words.forEach((word, index) => {
    const option = program.options.find(({ long }) => long === word)
    const value = words[index + 1]
    if (option?.required === true && value !== undefined) said[option.attributeName()] = value
  })
  return said
}

/** The names that the development identity provider of `infra/local` knows. */
const DEVELOPMENT_NAMES = [
  'ana',
  'bo',
  'kim',
  'dev',
  'maria',
  'olga',
  'ci-deploy',
  'nightly-report',
]
/** A person waits with a finger on the tab key, so an answer may not take longer. */
const LIMIT_MS = 2_000
