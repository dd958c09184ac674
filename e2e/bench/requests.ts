import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { draftOf } from '@countersign/log'
import { EventId, InstanceId, Instant, uuidv7 } from '@countersign/kernel'
import type { System } from '@countersign/local'
import { heldStatement } from '../support/held.ts'
import { connectAs } from '../support/ledger.ts'
import { connectPg } from '../support/node-postgres.ts'
import { countersign } from '../support/reviewer.ts'
import { median, rounded, timed } from './figures.ts'

export type RequestFigures = {
  /** One acknowledged append to Kafka, with nothing else going on. */
  readonly appendMs: number
  /** A statement that nothing covers: asked, decided, released. */
  readonly firstSightMs: number
  /** The same shape again. */
  readonly coveredMs: number
  /** From the call of the reviewer's API to the statement in the target's own log, with the raised privilege. */
  readonly countersignToTargetMs: number
}

/** Measures the time that single requests take; each figure is a median. */
export async function measureRequests(
  system: System,
  options: { statements: number; approvals: number },
): Promise<RequestFigures> {
  return {
    appendMs: await appendMs(system, options.statements),
    ...(await sights(system, options.statements)),
    countersignToTargetMs: await countersignToTarget(system, options.approvals),
  }
}

async function appendMs(system: System, appends: number): Promise<number> {
  await using log = await connectAs(system, 'proxy')
  const instanceId = InstanceId(uuidv7(Date.now()))
  const append = () => {
    const message = { type: 'LeaseReleased', instanceId, at: Instant(0) } as const
    return log.append([draftOf(message, { id: EventId(uuidv7(Date.now())), key: instanceId })])
  }
  for (let index = 0; index < appends; index++) await append()
  const times: number[] = []
  for (let index = 0; index < appends; index++) times.push(await timed(append))
  return rounded(median(times), 2)
}

async function sights(system: System, statements: number) {
  await using client = await connectPg(system, 'shop-dev')
  const first: number[] = []
  const covered: number[] = []
  for (let index = 0; index < statements; index++) {
    const shape = `select id as c${index} from shop.products where id = `
    first.push(await timed(() => client.query(`${shape} 1`)))
    covered.push(await timed(() => client.query(`${shape} 2`)))
  }
  return { firstSightMs: rounded(median(first), 2), coveredMs: rounded(median(covered), 2) }
}

async function countersignToTarget(system: System, approvals: number): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < approvals; index++) {
    const column = `measured_${index}`
    const held = await heldStatement(system, `alter table shop.products add column ${column} int`)
    await pause(SETTLE_MS)
    const clickedMs = Date.now()
    await countersign(system, 'ana', held.requestId)
    await held.psql.finish()
    times.push((await ranAtMs(system, column)) - clickedMs)
  }
  return rounded(median(times), 0)
}

/** The time at which the target's log says that it began to run a statement, in ms, by the clock of this machine. */
async function ranAtMs(system: System, words: string): Promise<number> {
  const line = (await readFile(system.targetLogFile, 'utf8'))
    .split('\n')
    .findLast((one) => one.includes('LOG:  statement') && one.includes(words))
  const at = /^(\S+ \S+) UTC/.exec(line ?? '')?.[1]
  if (at === undefined) throw new Error(`the target never ran the statement with ${words}`)
  return Date.parse(`${at.replace(' ', 'T')}Z`)
}

const SETTLE_MS = 300
