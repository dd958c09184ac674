// The commands of `npm run`: where each begins, what it takes, and what its --help says. It has no dependencies and
// runs on Node 18, so that help and a mistyped option need nothing installed and start nothing.
import { parseArgs } from 'node:util'

const INSTANCE = {
  type: 'string',
  says: 'the name of the local instance (demo); several can run side by side',
}

/** @type {import('./commands.d.ts').COMMANDS} */
export const COMMANDS = {
  setup: {
    main: 'infra/local/src/commands/setup.ts',
    says: 'Installs what the commands need, and links the command `countersign`. Every other command does the same first.',
    options: {
      unlink: { type: 'boolean', says: 'take the link of the command `countersign` away again' },
    },
  },
  check: {
    main: 'infra/local/src/commands/check.ts',
    says: 'Runs every check that needs no infrastructure: types, lint, formatting, unit tests.',
    options: {},
  },
  test: {
    main: 'infra/local/src/commands/test.ts',
    says: 'Runs every check, integration and end-to-end test, against its own Kafka and PostgreSQL.',
    options: {},
  },
  'test:long': {
    main: 'infra/local/src/commands/test-long.ts',
    says: 'Runs the long suites: real drivers, attacks on the wire.',
    options: {},
  },
  demo: {
    main: 'e2e/demo/run.ts',
    says: 'Starts everything anew, tells the story with a real psql, then stays up until Ctrl-C or "npm run down".',
    options: {
      exit: {
        type: 'boolean',
        says: 'stop after the story; status 0 when every step did what it should',
      },
      instance: { ...INSTANCE, default: 'demo' },
    },
  },
  up: {
    main: 'infra/local/src/commands/up.ts',
    says: `Starts Kafka, PostgreSQL with a shop, the identity provider and all services, and stays up until Ctrl-C or
"npm run down". What an earlier run left is kept: data, catalog, secrets, certificates and ports.`,
    options: {
      fresh: { type: 'boolean', says: 'delete what an earlier run left, and begin anew' },
      instance: { ...INSTANCE, default: 'demo' },
      logs: { type: 'boolean', says: 'print what the services log, too' },
      'no-catalog': {
        type: 'boolean',
        says: 'leave a new catalog empty; then: countersign apply -f <folder> --as olga',
      },
    },
  },
  down: {
    main: 'infra/local/src/commands/down.ts',
    says: 'Stops everything of an instance, also services that were started alone. Its data stay for the next "npm run up".',
    options: {
      instance: { ...INSTANCE, default: 'demo' },
      delete: { type: 'boolean', says: 'also delete its data' },
    },
  },
  bench: {
    main: 'e2e/bench/run.ts',
    says: `Covered statements, first sight, approvals, large results and sessions: at the target itself, through PgBouncer and
through Countersign, in turn; medians. Each detector on its worst texts. Takes about 10 minutes, with --quick about 2.
Writes e2e/bench/results/latest.json. Machines differ and are noisy: compare ratios, not times.`,
    options: {
      quick: { type: 'boolean', says: 'fewer and shorter measurements' },
      detectors: { type: 'boolean', says: 'only the detectors, without a system: under a minute' },
      json: { type: 'boolean', says: 'print the figures as JSON' },
    },
  },
}

/**
 * The options that were typed after a command; or a text to print instead, with the status to end with.
 * @type {import('./commands.d.ts').understood}
 */
export function understood(name, words) {
  const command = COMMANDS[name]
  if (words.includes('--help') || words.includes('-h'))
    return { status: 0, text: usageOf(name, command) }
  const options = Object.fromEntries(
    Object.entries(command.options).map(([option, { says: _, ...config }]) => [option, config]),
  )
  try {
    const { values } = parseArgs({
      args: [...words],
      options,
      strict: true,
      allowPositionals: false,
    })
    return { values }
  } catch (thrown) {
    const [what] = String(thrown instanceof Error ? thrown.message : thrown).split(/(?<=')\. |\n/)
    return { status: 2, text: `countersign: ${what}\n\n${usageOf(name, command)}` }
  }
}

function usageOf(name, { says, options }) {
  const lines = Object.entries(options).map(([option, { type, says: meaning }]) => [
    `--${option}${type === 'string' ? ' <name>' : ''}`,
    meaning,
  ])
  const width = Math.max(0, ...lines.map(([option]) => option.length))
  const shown = lines.map(([option, meaning]) => `  ${option.padEnd(width)}  ${meaning}\n`).join('')
  const usage = `npm ${name === 'test' ? 'test' : `run ${name}`}${lines.length === 0 ? '' : ' -- [options]'}`
  return `${usage}\n\n${says}\n${shown === '' ? '' : `\n${shown}`}`
}
