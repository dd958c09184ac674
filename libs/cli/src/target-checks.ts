import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseEnv } from 'node:util'
import { Problem } from '@countersign/kernel'
import type { Context } from './context.ts'
import { HOME } from './invocation.ts'
import { json } from './json.ts'

/** The result of one check, and what to do where it is not well. */
export type Finding = {
  readonly check: string
  readonly status: 'ok' | 'warning' | 'failed'
  readonly detail: string
  readonly next: string | null
}

/** The settings of a service of the local instance; null where there is none. */
export function settingsOfService(
  context: Context,
  service: string,
): Readonly<Record<string, string | undefined>> | null {
  const { file } = context.settings
  const path = file === null ? null : join(dirname(file), `${service}.env`)
  return path !== null && existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : null
}

/**
 * Checks targets where the secrets of the broker are, which the command line never sees: for a local instance in a
 * process with the settings of its broker. Without `profiles`, those in force are checked.
 */
export async function targetFindings(
  context: Context,
  profiles: readonly unknown[] | null,
): Promise<readonly Finding[]> {
  const env = settingsOfService(context, 'credential-broker')
  if (env === null) {
    throw new Problem(
      'CS_CONFIG_INVALID',
      'targets are looked at where the broker is, and it is not here',
      {
        hint: 'On its machine, with its settings: node services/credential-broker/src/check-targets.ts --in-force',
      },
    )
  }
  const main = join(HOME, 'services', 'credential-broker', 'src', 'check-targets.ts')
  const child = spawn(process.execPath, [main, ...(profiles === null ? ['--in-force'] : [])], {
    env: { PATH: process.env['PATH'], ...env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: LIMIT_MS,
  })
  child.stdin.on('error', () => undefined) // It may end before it reads.
  child.stdin.end(profiles === null ? '' : JSON.stringify(profiles))
  const said: unknown = parsed(await text(child.stdout))
  const detail = json.textOrNull(said, 'detail')
  if (detail !== null || said === null) {
    throw new Problem(
      'CS_CONFIG_INVALID',
      `the targets could not be looked at: ${detail ?? 'no answer in time'}`,
    )
  }
  return json.list(said, 'findings').map((found) => {
    const status = json.text(found, 'status')
    return {
      check: `${json.text(found, 'profile')}: ${json.text(found, 'check')}`,
      status: status === 'ok' || status === 'warning' ? status : 'failed',
      detail: json.text(found, 'detail'),
      next: json.textOrNull(found, 'next'),
    }
  })
}

/** Findings for people. */
export const findingsText = (findings: readonly Finding[], { paint }: Context): string =>
  findings
    .map(({ check, status, detail, next }) => {
      const style = status === 'ok' ? 'green' : status === 'warning' ? 'yellow' : 'red'
      const state = paint(style, status.padEnd(7))
      return `${state}  ${check.padEnd(24)}  ${detail}\n${next === null ? '' : `         next: ${next}\n`}`
    })
    .join('')

function parsed(said: string): unknown {
  try {
    return JSON.parse(said)
  } catch {
    return null
  }
}

const LIMIT_MS = 45_000
