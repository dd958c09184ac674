import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { System } from '@countersign/local'
import { askTarget } from './target.ts'

/** A statement that the target itself says it ran for a role of ours. */
export type TargetStatement = {
  readonly role: string
  /** The session that its connection was made for; empty where the connection does not say. */
  readonly sessionId: string
  readonly sql: string
}

/** What the target's own log says of the roles of Countersign's sessions. */
export type TargetLog = {
  /** What it says it ran. */
  readonly ran: readonly TargetStatement[]
  /** What it got and complained about, also where it did not come to run it. */
  readonly complained: readonly TargetStatement[]
}

/** What PostgreSQL's own log (`log_statement = all`) says was run by the roles of Countersign's sessions. */
export const targetStatements = async (system: System): Promise<readonly TargetStatement[]> =>
  (await targetLog(system)).ran

/** How often the target ran a statement that contains these words. */
export const timesRun = async (system: System, words: string): Promise<number> =>
  (await targetStatements(system)).filter(({ sql }) => sql.includes(words)).length

/**
 * Reads the log of the target up to now: what is forwarded before this is called stands in it.
 *
 * ```
 * time [pid] user=role db=database app=application LEVEL:  text, of several lines where each further one begins with a tab
 * ```
 *
 * A simple query is one line, however many statements it has, and is written before any of them is looked at more closely
 * than its syntax. In the extended protocol an execution is a line (`execute name/portal`), each further fetch from its
 * portal another (`execute fetch from …`); Parse, Bind and Describe are none, nor is the execution of an empty text. A
 * fastpath call (FunctionCall) is a line that no release explains, since it is never forwarded. The data of COPY is none.
 */
export async function targetLog(system: System): Promise<TargetLog> {
  const ran: TargetStatement[] = []
  const complained: TargetStatement[] = []
  const sessions = new Map<string, string>()
  for (const entry of await entries(system)) {
    const { pid = '', role = '', app = '', level, text = '' } = ENTRY.exec(entry)?.groups ?? {}
    // A process id is used again by another connection.
    if (text.startsWith('connection authenticated')) sessions.delete(pid)
    if (!role.startsWith('cs_')) continue
    // An agent may call itself something else later on; its connection began with the name of the session.
    const named = /^countersign\/([0-9a-f-]{36})/.exec(app)?.[1]
    if (named !== undefined && !sessions.has(pid)) sessions.set(pid, named)
    const said = { role, sessionId: sessions.get(pid) ?? '' }
    const statement = RAN.exec(text)?.[1]
    if (level === 'LOG' && statement !== undefined) ran.push({ ...said, sql: statement })
    if (level === 'STATEMENT') complained.push({ ...said, sql: text })
  }
  return { ran, complained }
}

/** The log passes through a pipe: when words of our own are in it, everything before them is too. */
async function entries(system: System): Promise<string[]> {
  const mark = `read up to ${randomUUID()}`
  await askTarget(system, `select '${mark}'`)
  const until = performance.now() + READ_LIMIT_MS
  for (;;) {
    const text = await readFile(system.targetLogFile, 'utf8')
    const end = text.indexOf(mark)
    if (end >= 0)
      return text
        .slice(0, end)
        .split(/\n(?!\t)/)
        .map((entry) => entry.replaceAll('\n\t', '\n'))
    if (performance.now() > until) throw new Error('the log of the target stands still')
    await pause(10)
  }
}

const ENTRY =
  /^\S+ \S+ \S+ \[(?<pid>\d+)\] user=(?<role>\S*) db=\S* app=(?<app>.*?) ?(?<level>[A-Z]+): {2}(?<text>[\s\S]*)$/
/** A name of a prepared statement or portal has no colon here: one would be taken for the beginning of the text. */
const RAN = /^(?:statement|execute [^:]*|fastpath function call): ([\s\S]*)$/
const READ_LIMIT_MS = 15_000
