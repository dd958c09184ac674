import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ROOT, type System } from '@countersign/local'

/** A run of the command line. */
export type CliRun = {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `countersign` as a person would, against this system. */
export async function countersignCli(system: System, ...args: string[]): Promise<CliRun> {
  const child = spawn(process.execPath, [join(ROOT, 'countersign.js'), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      CS_INSTANCE: system.instance.name,
      CS_CONSOLE_URL: system.urls.console,
      CS_REPLAY_URL: system.urls.replay,
      CS_OIDC_ISSUER: system.issuer,
    },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [status]: unknown[] = await once(child, 'close')
  return { status: typeof status === 'number' ? status : null, stdout, stderr }
}
