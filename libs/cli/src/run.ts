import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { messageOf, Problem } from '@countersign/kernel'
import { apply, type ApplyOptions } from './commands/apply.ts'
import { doctor } from './commands/doctor.ts'
import { replay, type ReplayOptions } from './commands/replay.ts'
import { requests } from './commands/requests.ts'
import { sessions } from './commands/sessions.ts'
import { show } from './commands/show.ts'
import { token } from './commands/token.ts'
import { approve, type ApproveOptions, deny, withdraw } from './commands/vote.ts'
import { completionScript, SHELLS, type Shell } from './completion.ts'
import { type Context, contextOf } from './context.ts'
import type { Io } from './io.ts'
import { paintFor } from './paint.ts'
import { printable } from './printable.ts'
import type { GlobalOptions } from './settings.ts'

/** Runs one command line; gives its exit status: 0 done, 1 refused or failed, 2 not understood. */
export async function run(words: readonly string[], io: Io): Promise<number> {
  let status = 0
  const program = programFor(io, async (work) => {
    status = (await work(contextOf(io, program.opts<GlobalOptions>()))) ?? 0
  })
  try {
    await program.parseAsync([...words], { from: 'user' })
    return status
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
    io.err(failureText(thrown, io))
    return 1
  }
}

type Work = (context: Context) => Promise<number | void> | number | void

function programFor(io: Io, perform: (work: Work) => Promise<void>): Command {
  const program = new Command('countersign')
    .description('See, countersign and replay what agents ask of your targets.')
    .option('--json', 'print answers as JSON')
    .option('--as <name>', 'who you are, at a development identity provider')
    .option('--token <token>', 'an access token (CS_TOKEN)')
    .option('--console-url <url>', 'the console (CS_CONSOLE_URL)')
    .option('--replay-url <url>', 'the replay service (CS_REPLAY_URL)')
    .option('--issuer <url>', 'the identity provider (CS_OIDC_ISSUER)')
    .option(
      '--instance <name>',
      'the local instance whose addresses are used (CS_INSTANCE; demo by default)',
    )
    .helpCommand(false)
    .showHelpAfterError('(countersign --help says more)')
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .addHelpText('after', '\nAn id may be shortened to its beginning or its end.')

  const command = (name: string, description: string): Command =>
    program.command(name).description(description)

  command('requests', 'list what waits for a countersignature, or show one request')
    .argument('[request]')
    .option('--all', 'also what no longer waits')
    .action((id: string | undefined, options: { all?: boolean }) =>
      perform((context) => requests(context, id, options)),
    )
  command(
    'show',
    'show a request: its exact statement and parameters, and who is to countersign it',
  )
    .argument('<request>')
    .action((id: string) => perform((context) => show(context, id)))
  command('approve', 'countersign a request')
    .argument('<request>')
    .option('--yes', 'do not ask after it was shown')
    .option('--unseen', 'also when its exact statement cannot be shown')
    .action((id: string, options: ApproveOptions) =>
      perform((context) => approve(context, id, options)),
    )
  command('deny', 'refuse a request')
    .argument('<request>')
    .requiredOption('--words <text>', 'what the agent is told')
    .action((id: string, options: { words: string }) =>
      perform((context) => deny(context, id, options)),
    )
  command('withdraw', 'give an own request up')
    .argument('<request>')
    .action((id: string) => perform((context) => withdraw(context, id)))
  command('sessions', 'list sessions').action(() => perform(sessions))
  command('replay', 'tell what happened in a session')
    .argument('<session>')
    .option('--follow', 'go on while it runs')
    .option('--rows <count>', 'how many rows of a result are shown', wholeNumber, 10)
    .action((id: string, options: ReplayOptions) =>
      perform((context) => replay(context, id, options)),
    )
  command('apply', 'put the definitions of a file or folder in force')
    .requiredOption('-f, --file <path>', 'a file, or a folder with .yaml and .cedar files')
    .addOption(
      new Option('--set <NAME=value>', 'a value for ${NAME} in the files; may be repeated')
        .default([], 'none')
        .argParser((pair: string, before: readonly string[]) => [...before, pair]),
    )
    .option('--prune', 'remove what is in force and not in these files')
    .action((options: ApplyOptions) => perform((context) => apply(context, options)))
  command('token', 'print an access token').action(() => perform(token))
  command('doctor', 'look for what is wrong').action(() => perform(doctor))
  command('completion', 'print a script that completes commands')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) =>
      io.out(completionScript(shell, completable(program), flagsOf(program))),
    )
  for (const each of program.commands)
    each.exitOverride().showHelpAfterError('(countersign --help says more)')
  return program
}

const completable = (program: Command) =>
  program.commands.map((each) => ({
    name: each.name(),
    description: each.description(),
    options: flagsOf(each),
  }))
const flagsOf = (command: Command): readonly string[] =>
  command.options.flatMap(({ long }) => (typeof long === 'string' ? [long] : []))

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('A whole number is needed.')
  return value
}

/** What went wrong, and what to do next. A mistake of our own shows where it was made. */
function failureText(thrown: unknown, io: Io): string {
  const paint = paintFor(io.isTerminal, io.env)
  if (!(thrown instanceof Problem)) {
    return `${paint('red', 'failed')}: ${printable(thrown instanceof Error ? (thrown.stack ?? '') : messageOf(thrown))}\n`
  }
  const hint = thrown.hint === null ? '' : `next: ${printable(thrown.hint)}\n`
  return `${paint('red', thrown.code)}: ${printable(thrown.message)}\n${hint}`
}
