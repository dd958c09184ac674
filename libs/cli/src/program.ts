import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { ApplyOptions } from './commands/apply.ts'
import type { EventsOptions } from './commands/events.ts'
import type { ExportOptions } from './commands/export.ts'
import type { ReplayOptions } from './commands/replay.ts'
import type { RequestsOptions } from './commands/requests.ts'
import type { ShowOptions } from './commands/show.ts'
import type { ApproveOptions } from './commands/vote.ts'
import { SHELLS, type Shell } from './completion.ts'
import { HOME } from './invocation.ts'
import type { Work } from './run.ts'

export type ProgramUse = {
  out(text: string): void
  err(text: string): void
  perform(work: Work): Promise<void>
}

/** Every command, what it takes, and what it does. A command is loaded when it is called. */
export function programFor({ out, err, perform }: ProgramUse): Command {
  const program = new Command('countersign')
    .description('See, countersign and replay what agents ask of your targets.')
    .version(versionOf(), '-V, --version', 'print the version')
    .option('--json', 'print one JSON document: the answer, or problem details')
    .option('--as <name>', 'who you are, at a development identity provider')
    .option('--token <token>', 'an access token (CS_TOKEN)')
    .option('--console-url <url>', 'the console (CS_CONSOLE_URL)')
    .option('--replay-url <url>', 'the replay service (CS_REPLAY_URL)')
    .option('--issuer <url>', 'the identity provider (CS_OIDC_ISSUER)')
    .option(
      '--instance <name>',
      'the local instance whose addresses are used (CS_INSTANCE; demo by default)',
    )
    .showHelpAfterError(helpOf('countersign'))
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err, getOutHelpWidth: () => 100 })
    .addHelpText(
      'after',
      '\nAn id may be shortened to its beginning or its end.\nThe exit status is 0: done; 1: refused or failed; 2: not understood.',
    )

  const under = (parent: Command, name: string, description: string): Command =>
    parent
      .command(name)
      .description(description)
      .exitOverride()
      .showHelpAfterError(
        helpOf(parent === program ? `countersign ${name}` : `countersign ${parent.name()} ${name}`),
      )
  const command = (name: string, description: string): Command => under(program, name, description)

  command('requests', 'list what waits for a countersignature, or show one request')
    .argument('[request]')
    .option('--all', 'also what no longer waits')
    .addOption(new Option('--status <status>', 'only these').choices(STATUSES).conflicts(['all']))
    .option('--profile <name>', 'only of this connection profile')
    .option('--agent <name>', 'only of this agent')
    .option('--since <time>', 'only asked since then: 30m, 2h, 7d, or a date', moment)
    .option('--limit <count>', 'at most so many, the newest', countingNumber)
    .option('--watch', 'go on: a line for each request that comes or changes')
    .action((id: string | undefined, options: RequestsOptions) =>
      perform(async (context) =>
        (await import('./commands/requests.ts')).requests(context, id, options),
      ),
    )
  command(
    'show',
    'show a request: its exact statement and parameters, and who is to countersign it',
  )
    .argument('<request>')
    .option('--data', 'all of the data of a COPY that is held with them, not only the first lines')
    .action((id: string, options: ShowOptions) =>
      perform(async (context) => (await import('./commands/show.ts')).show(context, id, options)),
    )
  command('approve', 'countersign requests, each after it was shown')
    .argument('<request...>')
    .option('--yes', 'do not ask; needed where nobody can be asked')
    .option('--unseen', 'also when its exact statement cannot be shown')
    .action((ids: string[], options: ApproveOptions) =>
      perform(async (context) =>
        (await import('./commands/vote.ts')).approve(context, ids, options),
      ),
    )
  command('deny', 'refuse requests')
    .argument('<request...>')
    .requiredOption('--words <text>', 'what the agent is told')
    .action((ids: string[], options: { words: string }) =>
      perform(async (context) => (await import('./commands/vote.ts')).deny(context, ids, options)),
    )
  command('withdraw', 'give own requests up')
    .argument('<request...>')
    .action((ids: string[]) =>
      perform(async (context) => (await import('./commands/vote.ts')).withdraw(context, ids)),
    )
  command('sessions', 'list sessions, newest first')
    .option('--profile <name>', 'only of this connection profile')
    .option('--agent <name>', 'only of this agent')
    .option('--limit <count>', 'at most so many of the newest', countingNumber)
    .action((options: object) =>
      perform(async (context) =>
        (await import('./commands/sessions.ts')).sessions(context, options),
      ),
    )
  command('replay', 'tell what happened in a session')
    .argument('<session>')
    .option('--follow', 'go on while it runs')
    .option('--internal', 'also what Countersign itself asked of the target')
    .option('--rows <count>', 'how many rows of a result are shown', wholeNumber, 10)
    .action((id: string, options: ReplayOptions) =>
      perform(async (context) =>
        (await import('./commands/replay.ts')).replay(context, id, options),
      ),
    )
  command('events', 'print what stands in the log, read from Kafka as the user audit')
    .option('--topic <name...>', 'only of these topics')
    .option('--type <name...>', 'only these messages, such as RequestReleased')
    .option('--session <id>', 'only of this session')
    .option('--agent <name>', 'only of sessions of this agent')
    .option(
      '--since <time>',
      'only since then: 30m, 2h, 7d, or a date (default: a day before)',
      moment,
    )
    .option('--until <time>', 'only before then', moment)
    .option('--limit <count>', 'at most so many, the newest (default: 1000)', eventCount)
    .option('--follow', 'go on as new ones come; from now on, unless --since or --limit is given')
    .option('--all', 'also the signs of life of services')
    .action((options: EventsOptions) =>
      perform(async (context) => (await import('./commands/events.ts')).events(context, options)),
    )
  command('export', 'write all that stands in the log of a span of time as files, to be kept')
    .requiredOption('--from <time>', 'from then on: a date (of UTC), a moment, or 7d', moment)
    .requiredOption('--to <time>', 'before then; a date alone is its beginning', moment)
    .option('--out <folder>', 'where to; by default here, named after the span')
    .option('--force', 'replace an extract that is there')
    .action((options: ExportOptions) =>
      perform(async (context) => (await import('./commands/export.ts')).exported(context, options)),
    )
  command('profiles', 'list the connection profiles: what psql takes as dbname').action(() =>
    perform(async (context) => (await import('./commands/profiles.ts')).profiles(context)),
  )
  command('whoami', 'say who you are to Countersign, and what you may do').action(() =>
    perform(async (context) => (await import('./commands/whoami.ts')).whoami(context)),
  )
  command('apply', 'put the definitions of a file or folder in force')
    .requiredOption('-f, --file <path>', 'a file, or a folder with .yaml and .cedar files')
    .addOption(
      new Option('--set <NAME=value>', 'a value for ${NAME} in the files; may be repeated')
        .default([], 'none')
        .argParser((pair: string, before: readonly string[]) => [...before, pair]),
    )
    .option('--dry-run', 'only show what would change, line by line')
    .option('--check-targets', 'first see whether each target has the secret, database and roles')
    .option('--prune', 'also remove what is in force and not in these files, after it was shown')
    .option('--yes', 'do not ask; needed to prune where nobody can be asked')
    .action((options: ApplyOptions) =>
      perform(async (context) => (await import('./commands/apply.ts')).apply(context, options)),
    )
  const catalog = command('catalog', 'what is in force')
  under(catalog, 'list', 'list the definitions').action(() =>
    perform(async (context) => (await import('./commands/catalog.ts')).list(context)),
  )
  under(catalog, 'show', 'print a definition as a file would have it')
    .argument('<name>', 'its name, or kind/name')
    .action((name: string) =>
      perform(async (context) => (await import('./commands/catalog.ts')).show(context, name)),
    )
  under(catalog, 'export', 'write everything in force as files that can be applied')
    .requiredOption('-d, --dir <path>', 'a folder that is new or empty')
    .action((options: { dir: string }) =>
      perform(async (context) =>
        (await import('./commands/catalog.ts')).exported(context, options),
      ),
    )
  command('token', 'print an access token').action(() =>
    perform(async (context) => (await import('./commands/token.ts')).token(context)),
  )
  command('doctor', 'look for what is wrong, and say what to do').action(() =>
    perform(async (context) => (await import('./commands/doctor.ts')).doctor(context)),
  )
  command('completion', 'print a script that completes commands, ids and names; to be sourced')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: Shell) => out((await import('./completion.ts')).completionScript(shell)))
  // The help command of commander itself takes any word, and then prints the general help.
  for (const parent of [program, ...program.commands.filter((each) => each.commands.length > 0)])
    parent
      .helpCommand(false)
      .command('help')
      .description('display help for command')
      .argument('[command]')
      .helpOption(false)
      .exitOverride()
      .action(async (name: string | undefined) => {
        const known = parent.commands.find((each) => each.name() === name)
        if (known === undefined && name !== undefined)
          await parent.parseAsync([name], { from: 'user' })
        else (known ?? parent).help()
      })
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action((words: string[]) =>
      perform(async (context) =>
        (await import('./commands/complete.ts')).complete(context, words, program),
      ),
    )
  return program
}

/** The next step where words were not understood; the name of the command is replaced by how it was called. */
const helpOf = (command: string): string => `${NEXT}See \`${command} --help\`.`
export const NEXT = 'next: '

function versionOf(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(join(HOME, 'package.json'), 'utf8'))
  return manifest.version
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('A whole number is needed.')
  return value
}

function countingNumber(text: string): number {
  const value = wholeNumber(text)
  if (value < 1) throw new InvalidArgumentError('At least 1 is needed.')
  return value
}

function eventCount(text: string): number {
  const value = countingNumber(text)
  if (value > EVENTS_MAX)
    throw new InvalidArgumentError(`At most ${EVENTS_MAX}; \`countersign export\` writes all.`)
  return value
}

/** A moment as ISO 8601: a date, or how long ago. */
function moment(text: string): string {
  const found = /^(\d{1,6})(s|m|h|d)$/.exec(text)
  const unit = UNITS[found?.[2] ?? '']
  // Other texts that a machine takes for a date would be a surprise: `1` is a day of 2001. Everything shown is in UTC.
  const [, day, time = '00:00', zone = 'Z'] = DATE.exec(text) ?? []
  const date = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${zone}`)
  const at = unit === undefined ? date : Date.now() - Number(found?.[1]) * unit
  if (!Number.isNaN(at)) return new Date(at).toISOString()
  throw new InvalidArgumentError('A span such as 30m, 2h or 7d is needed, or a date.')
}

const DATE =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/
const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** The most events that are held in memory, to be put in the order of time. */
const EVENTS_MAX = 100_000
export const STATUSES = [
  'pending',
  'granted',
  'denied',
  'expired',
  'withdrawn',
  'superseded',
] as const
