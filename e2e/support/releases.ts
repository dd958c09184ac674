import assert from 'node:assert/strict'
import { decodeSubject, type RequestContent, type RequestReleased } from '@countersign/contracts'
import type { Log, Understood } from '@countersign/log'
import type { System } from '@countersign/local'
import { observe, recordsOf } from './ledger.ts'
import { type Open, openedAsReplay } from './opened.ts'
import { targetLog, type TargetStatement } from './target-log.ts'

/** A release with the text that it sent to the target, and the known end of its request. */
export type Release = {
  readonly sessionId: string
  readonly role: string
  readonly sql: string
  /** True if it is a request of Countersign itself, not of an agent. */
  readonly isOurs: boolean
  /** `must`: it succeeded, and the target logs it. `may`: it failed, is in doubt or not logged. `unknown`: no recorded end. */
  readonly ran: 'must' | 'may' | 'unknown'
}

/**
 * Asserts that the log of the target and the releases agree, for every role and session: each line that the target ran has
 * exactly one release, and each release that succeeded has exactly one line. Texts are compared: for the releases of one
 * text in one session, there must not be more lines than releases, nor fewer than releases that succeeded. And no
 * statement that the target complained about came to it without a release. Left out, because the target does not log them:
 * the data of COPY, and the parameters and the Parse of a prepared statement.
 */
export async function everyLineHasItsRelease(
  system: System,
  options: { isCutShort?: boolean } = {},
): Promise<void> {
  await using log = await observe(system)
  const until = performance.now() + END_LIMIT_MS
  for (;;) {
    const difference = await differenceIn(system, log, options.isCutShort === true)
    // The end of a request is recorded a moment after the agent sees it.
    if (difference.startsWith(UNENDED) && performance.now() < until) continue
    return assert.equal(difference, '', 'the log of the target and the releases differ')
  }
}

async function differenceIn(system: System, log: Log, isCutShort: boolean): Promise<string> {
  const { length: lengthBefore } = (await targetLog(system)).ran
  const releases = await releasesIn(system, log)
  const { ran, complained } = await targetLog(system)
  const known = grouped(releases)
  // Only the lines from before the releases were read: the releases of later lines may not have been read.
  for (const [key, lines] of grouped(ran.slice(0, lengthBefore))) {
    const released = known.get(key) ?? []
    if (lines.length > released.length)
      return `${lines.length} lines, ${released.length} releases: ${key}`
  }
  const lines = grouped(ran)
  for (const [key, released] of known) {
    const succeeded = released.filter((release) => release.ran === 'must').length
    const count = lines.get(key)?.length ?? 0
    if (count < succeeded) return `${count} lines, ${succeeded} releases that succeeded: ${key}`
  }
  const texts = new Set(known.keys())
  const stray = complained.find((statement) => !texts.has(keyOf(statement)))
  if (stray !== undefined) return `no release, but the target complains: ${keyOf(stray)}`
  const unended = releases.find((release) => release.ran === 'unknown')
  return unended === undefined || isCutShort ? '' : `${UNENDED} of ${keyOf(unended)}`
}

/** Every release, each once, with the text that it sent to the target. */
export async function releasesIn(system: System, log: Log): Promise<Release[]> {
  const records = new Map<string, Understood>()
  for (const record of await recordsOf(log, 'sessions'))
    if (record.status === 'understood' && !records.has(record.id)) records.set(record.id, record)
  const open = await openedAsReplay(system, log)
  const contents = new Map<string, RequestContent>()
  const parts = new Map<string, Buffer[]>()
  const roles = new Map<string, string>()
  const ends = new Map<string, Release['ran']>()
  const released: RequestReleased[] = []
  for (const { message } of records.values()) {
    switch (message.type) {
      case 'SessionOpened':
        roles.set(message.sessionId, message.role)
        break
      case 'RequestPart':
        if (!message.stream)
          parts.set(message.requestId, [
            ...(parts.get(message.requestId) ?? []),
            message.ciphertext,
          ])
        break
      case 'RequestIntercepted':
        contents.set(message.requestId, message.content)
        break
      case 'RequestReleased':
        if (message.content !== null) contents.set(message.requestId, message.content)
        released.push(message)
        break
      case 'RequestCompleted': {
        // The target logs no statement that is only prepared, and no empty text in the extended protocol. An empty text has no
        // command tag and no rows; the first rows of a portal have no command tag either.
        const { kind } = contents.get(message.requestId) ?? {}
        const isEmpty = message.commandTag === null && message.rows === 0
        const isSilent = kind === 'Prepare' || (kind === 'Execute' && isEmpty)
        ends.set(message.requestId, message.outcome === 'Succeeded' && !isSilent ? 'must' : 'may')
        break
      }
      case 'SessionEnded':
        for (const requestId of message.inDoubt) ends.set(requestId, 'may')
        break
      default:
    }
  }
  return released.map(({ sessionId, requestId, origin }) => ({
    sessionId,
    isOurs: origin === 'Countersign',
    role: roles.get(sessionId) ?? '',
    sql: textOf(sessionId, contents.get(requestId), parts.get(requestId) ?? [], open),
    ran: ends.get(requestId) ?? 'unknown',
  }))
}

function textOf(
  sessionId: string,
  content: RequestContent | undefined,
  parts: readonly Buffer[],
  open: Open,
): string {
  if (content === undefined) throw new Error(`a release of ${sessionId} carries no content`)
  const sealed = content.partCount === 0 ? content.ciphertext : Buffer.concat(parts)
  return decodeSubject(open(sessionId, sealed)).text.toString('utf8')
}

function grouped<T extends TargetStatement>(statements: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const statement of statements) {
    const key = keyOf(statement)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [statement])
    else group.push(statement)
  }
  return groups
}

const keyOf = ({ role, sessionId, sql }: TargetStatement): string => `${role} ${sessionId} ${sql}`

const UNENDED = 'nobody says how it ended, nor that it is in doubt'
const END_LIMIT_MS = 15_000
