// Seen to fail when `behindHeader` in libs/masking-plan/src/copy.ts leaves the header of a binary copy out.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentEnvironment } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { askTarget } from '../support/target.ts'

const RUN_LIMIT_MS = 120_000
const system = await arena('psycopg')

type Run = { readonly ok: boolean; readonly stdout: string; readonly stderr: string }

const run = (file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> =>
  new Promise((resolve) => {
    execFile(file, args, { env, timeout: RUN_LIMIT_MS }, (error, stdout, stderr) =>
      resolve({ ok: error === null, stdout, stderr: `${stderr}${error?.message ?? ''}` }),
    )
  })

/** A Python of its own with the two drivers, or why there is none. */
async function python(): Promise<{ file: string } | { missing: string }> {
  const venv = join(system.instance.dir, 'venv')
  const made = await run('python3', ['-m', 'venv', venv], process.env)
  if (!made.ok) return { missing: `python3 -m venv: ${made.stderr.slice(-200)}` }
  const pip = await run(
    join(venv, 'bin', 'pip'),
    ['install', '--quiet', '--disable-pip-version-check', 'psycopg[binary]', 'asyncpg'],
    process.env,
  )
  if (!pip.ok) return { missing: `pip cannot install the drivers: ${pip.stderr.slice(-200)}` }
  return { file: join(venv, 'bin', 'python') }
}

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index)

const EXPECTED: Readonly<Record<string, unknown>> = {
  pipeline: numbers(50),
  'pipeline with an error': ['22012', 0],
  'refused in a pipeline': ['42501', 0],
  'copy out text': numbers(40, 1),
  'copy out binary': numbers(40, 1),
  'copy in text': 3_000,
  'copy in binary': 3_000,
  'copy in given up': ['given up', 0],
  'server cursor': 200,
  prepared: Array.from({ length: 8 }, () => true),
  'binary results': [5, true, false],
  streamed: 5_000,
  'asyncpg fetch': numbers(5, 1),
  'asyncpg cursor': 220,
  'asyncpg copy': 220,
  'asyncpg executemany': 2,
}

test('every step of psycopg 3 and asyncpg gives what PostgreSQL gives', async (t) => {
  const found = await python()
  if ('missing' in found) return t.skip(found.missing)
  const script = join(import.meta.dirname, 'psycopg_session.py')
  const env = await agentEnvironment(system, { profile: 'shop-dev' })
  const { stdout, stderr } = await run(found.file, [script], env)
  const heard: Record<string, unknown> = {}
  for (const line of stdout.trim().split('\n')) {
    const { step, value }: { step: string; value: unknown } = JSON.parse(line)
    heard[step] = value
  }
  assert.deepEqual(heard, EXPECTED, stderr)
  const [row] = await askTarget(
    system,
    'select count(*)::int as n from shop.products where id >= 20000',
    'shop_dev',
  )
  assert.equal(row?.['n'], 6_000)
})
