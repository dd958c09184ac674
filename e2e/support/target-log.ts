import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { System } from '@countersign/local'
import { askTarget } from './target.ts'

/** A statement that stands in the target's own log, for a role of one of Countersign's sessions. */
export type TargetStatement = {
  readonly role: string
  /** The session that its connection was made for; empty if the connection does not name one. */
  readonly sessionId: string
  readonly sql: string
}

/** The statements of the roles of Countersign's sessions in the target's own log. */
export type TargetLog = {
  /** Statements that the target says it ran. */
  readonly ran: readonly TargetStatement[]
  /** Those of `ran` that are questions of Countersign to the catalog, with names of the agent's text in their literals. */
  readonly questions: ReadonlySet<TargetStatement>
  /** Statements that the target received and complained about, also those that it did not begin to run. */
  readonly complained: readonly TargetStatement[]
}

/** The statements that the roles of Countersign's sessions ran, from PostgreSQL's own log (`log_statement = all`). */
export const targetStatements = async (system: System): Promise<readonly TargetStatement[]> =>
  (await targetLog(system)).ran

/** The number of times that the target ran a statement that contains these words, but for questions to the catalog. */
export async function timesRun(system: System, words: string): Promise<number> {
  const { ran, questions } = await targetLog(system)
  return ran.filter((one) => one.sql.includes(words) && !questions.has(one)).length
}

/**
 * Reads the log of the target up to now: every statement that was forwarded before this call stands in it.
 *
 * ```
 * time [pid] user=role db=database app=application LEVEL:  text, of several lines where each further one begins with a tab
 * ```
 *
 * A simple query is one line, however many statements it has; the line is written when only the syntax has been checked.
 * In the extended protocol an Execute is a line (`execute name/portal`), and each further fetch from its portal is another
 * (`execute fetch from …`). Parse, Bind and Describe write no line, nor does the execution of an empty text, nor the data of
 * COPY. A fastpath call (FunctionCall) is a line without any release, since Countersign never forwards one.
 */
export async function targetLog(system: System): Promise<TargetLog> {
  const ran: TargetStatement[] = []
  // bound: one per entry of the log
  const questions = new Set<TargetStatement>()
  const complained: TargetStatement[] = []
  const sessions = new Map<string, string>()
  for (const entry of await entries(system)) {
    const { pid = '', role = '', app = '', level, text = '' } = ENTRY.exec(entry)?.groups ?? {}
    // A later connection may have the same process id.
    if (text.startsWith('connection authenticated')) sessions.delete(pid)
    if (!role.startsWith('cs_')) continue
    // An agent may change its application_name later, but its connection began with the name of the session.
    const named = /^countersign\/([0-9a-f-]{36})/.exec(app)?.[1]
    if (named !== undefined && !sessions.has(pid)) sessions.set(pid, named)
    const said = { role, sessionId: sessions.get(pid) ?? '' }
    const statement = RAN.exec(text)?.[1]
    if (level === 'LOG' && statement !== undefined) {
      const one = { ...said, sql: statement }
      ran.push(one)
      if (QUESTION.test(text)) questions.add(one)
    }
    if (level === 'STATEMENT') complained.push({ ...said, sql: text })
  }
  return { ran, questions, complained }
}

/** The entries so far. The log passes through a pipe: once a mark of ours is in it, everything before it is there too. */
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
/** The kind of a line, then its text. No statement or portal is named with a colon here: the text would seem to begin there. */
const RAN = /^(?:statement|execute [^:]*|fastpath function call): ([\s\S]*)$/
/** A query of one column of the catalog, under a name that Countersign alone gives. */
const QUESTION = /^execute (_countersign_[0-9a-f]{16})\/\1: select \w+ from pg_catalog\./
const READ_LIMIT_MS = 15_000
