import { execFile } from 'node:child_process'
import type { Log } from '@countersign/log'
import type { System } from '@countersign/local'
import { agentEnvironment } from './agent.ts'
import { eventsOf, eventually } from './ledger.ts'
import { countersign, deny } from './reviewer.ts'
import { askTarget } from './target.ts'

/** The end of a program: whether it succeeded, and its output. */
export type ProgramRun = { readonly ok: boolean; readonly stdout: string; readonly stderr: string }

/** One line that names the program or package that a driver needs and that is not on this machine. */
export type Missing = { readonly missing: string }

/** The command that starts a script of drivers, and the names of the drivers in the steps that it reports. */
export type Driver = {
  readonly file: string
  readonly args: readonly string[]
  readonly names: readonly string[]
}

/** Runs a program to its end. A program that takes too long is ended; a note in its standard error says so. */
export const program = (
  file: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; timeout?: number } = {},
): Promise<ProgramRun> =>
  new Promise((resolve) => {
    execFile(
      file,
      args,
      { timeout: PROGRAM_LIMIT_MS, maxBuffer: OUTPUT_MAX, ...options },
      (error, stdout, stderr) => {
        const ended = error?.killed === true ? `\n${file} took too long and was ended` : ''
        resolve({ ok: error === null, stdout, stderr: `${stderr}${error?.message ?? ''}${ended}` })
      },
    )
  })

/**
 * Runs a driver's script as an agent of shop-dev, and reviews its held statements. The script prints one line of JSON for each
 * step: its name, and the result. The environment variable `HELD_DATABASE` names the profile in which statements are held.
 */
export async function stepsOf(
  system: System,
  log: Log,
  driver: Driver,
): Promise<{ steps: Record<string, unknown>; stderr: string }> {
  const env = { ...(await agentEnvironment(system, { profile: 'shop-dev' })), HELD_DATABASE }
  const over = new AbortController()
  // If the script ends without its holds, its steps show what went wrong, so the failed review is not reported.
  const reviewed = reviewInTurn(system, log, driver.names.length, { over: over.signal }).catch(
    () => undefined,
  )
  const { stdout, stderr } = await program(driver.file, driver.args, { env })
  over.abort()
  await reviewed
  const steps: Record<string, unknown> = {}
  for (const line of stdout.trim().split('\n')) {
    const { step, value }: { step: string; value: unknown } = JSON.parse(line)
    steps[step] = value
  }
  return { steps, stderr }
}

/** The steps that every driver's script reports, and the results that all drivers must get. */
export const promisesOf = (driver: string): Readonly<Record<string, unknown>> => ({
  [`${driver} masked text`]: MASKED_EMAIL,
  [`${driver} masked binary`]: MASKED_EMAIL,
  [`${driver} error`]: '22012',
  [`${driver} refused in a transaction`]: ['42C01', '25P02', 0],
  [`${driver} countersigned`]: 1,
  [`${driver} denied`]: ['42C03', true],
})

/** Adds a customer whose e-mail address no driver may see. */
export async function plantEmail(system: System): Promise<void> {
  await askTarget(
    system,
    `insert into shop.customers (id, name, email, created_at) values (90001, 'Zebra', 'canary.zebra@aviary.example', now())`,
    'shop_dev',
  )
}

/** Reviews held statements in their order: of each driver the first is countersigned, the second denied. */
export async function reviewInTurn(
  system: System,
  log: Log,
  drivers = 1,
  { over, seen: before = new Set() }: { over?: AbortSignal; seen?: ReadonlySet<string> } = {},
): Promise<void> {
  const seen = new Set(before)
  for (let turn = 0; turn < 2 * drivers; turn++) {
    const requestId = await eventually(
      `hold ${turn + 1}`,
      async () => {
        over?.throwIfAborted()
        const asked = await eventsOf(log, 'approvals', 'ApprovalRequested')
        return asked.find((event) => !seen.has(event.requestId))?.requestId
      },
      RUN_LIMIT_MS,
    )
    seen.add(requestId)
    const answer = await (turn % 2 === 0
      ? countersign(system, 'ana', requestId)
      : deny(system, 'ana', requestId, WORDS))
    if (answer.status !== 200)
      throw new Error(`the vote on hold ${turn + 1} was refused: ${JSON.stringify(answer.body)}`)
  }
}

/** The number of rows that a driver's countersigned statement changed, and the number that its denied one changed. */
export async function heldRows(
  system: System,
  driver: string,
): Promise<{ countersigned: number; denied: number }> {
  const notes = await askTarget(
    system,
    `select note from shop.orders where note in ('${driver} countersigned', '${driver} denied')`,
    'shop_prod',
  )
  const count = (kind: string): number =>
    notes.filter(({ note }) => note === `${driver} ${kind}`).length
  return { countersigned: count('countersigned'), denied: count('denied') }
}

export const MASKED_EMAIL = 'c…@aviary.example'
/** The words with which the reviewer denies; every driver must pass them on to its user. */
export const WORDS = 'not on a Monday'
export const HELD_DATABASE = 'shop-prod'
const RUN_LIMIT_MS = 120_000
/** The time limit of a program: on a slow machine a driver's script takes minutes. */
const PROGRAM_LIMIT_MS = 900_000
const OUTPUT_MAX = 16_000_000
