import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { System } from '@countersign/local'

/** A run of the real psql as an agent. */
export type PsqlRun = {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A psql that is running: its output so far, and the ways to control it. */
export type Psql = {
  readonly pid: number | undefined
  stdout(): string
  stderr(): string
  /** Types a line. */
  type(line: string): void
  /** Resolves when standard output and error together match. */
  says(pattern: RegExp, limitMs?: number): Promise<RegExpMatchArray>
  signal(signal: NodeJS.Signals): void
  /** Closes its input and waits for its end. */
  finish(): Promise<PsqlRun>
  readonly done: Promise<PsqlRun>
}

export type PsqlOptions = {
  agent?: string
  profile: string
  token?: string
  /** Statements, each as its own -c. */
  commands?: readonly string[]
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
  onOutput?: (text: string) => void
}

/** The environment by which libpq reaches the proxy as an agent. */
export async function agentEnvironment(
  system: System,
  options: PsqlOptions,
): Promise<Record<string, string>> {
  const agent = options.agent ?? 'ci-deploy'
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    PGHOST: '127.0.0.1',
    PGPORT: String(system.instance.ports.proxyPostgres),
    PGUSER: agent,
    PGDATABASE: options.profile,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: system.caFile,
    PGCONNECT_TIMEOUT: '30',
    PGPASSWORD: options.token ?? (await system.tokenFor(agent)),
    ...options.env,
  }
}

/** Starts the unchanged psql against the proxy. */
export async function startPsql(system: System, options: PsqlOptions): Promise<Psql> {
  const env = await agentEnvironment(system, options)
  const commands = (options.commands ?? []).flatMap((command) => ['-c', command])
  const child = spawn(
    'psql',
    ['-X', '--no-password', '-P', 'pager=off', ...(options.args ?? []), ...commands],
    {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  const heard = (text: string): void => {
    options.onOutput?.(text)
    for (const listener of listeners) listener()
  }
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    heard(chunk.toString())
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    heard(chunk.toString())
  })
  running.add(child)
  child.stdin.on('error', () => undefined)
  const done = once(child, 'close').then(([status]: unknown[]) => ({
    status: typeof status === 'number' ? status : null,
    stdout,
    stderr,
  }))
  void done.then(() => {
    running.delete(child)
    heard('')
  })
  return {
    pid: child.pid,
    stdout: () => stdout,
    stderr: () => stderr,
    type: (line) => void child.stdin.write(`${line}\n`),
    says: (pattern, limitMs = SAYS_LIMIT_MS) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = `${stdout}\n${stderr}`.match(pattern)
          if (found === null) return
          clearTimeout(timer)
          listeners.delete(look)
          resolve(found)
        }
        const timer = setTimeout(() => {
          listeners.delete(look)
          reject(new Error(`psql did not say ${pattern}; it said:\n${stdout}\n${stderr}`))
        }, limitMs)
        listeners.add(look)
        look()
      }),
    signal: (signal) => void child.kill(signal),
    finish: () => {
      child.stdin.end()
      return done
    },
    done,
  }
}

/** Ends every psql that a failed test left open: its test file would wait for them for ever. */
export function endEveryPsql(): void {
  for (const child of running) child.kill('SIGKILL')
}

/** Runs psql to its end. */
export async function psql(system: System, options: PsqlOptions): Promise<PsqlRun> {
  const one = await startPsql(system, options)
  return one.finish()
}

const running = new Set<ChildProcess>()
const SAYS_LIMIT_MS = 20_000
