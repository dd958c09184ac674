import { readdir, readFile } from 'node:fs/promises'
import type { System } from '@countersign/local'
import { formatPosition, type LogRecord, type Understood } from '@countersign/log'
import { everyoneHasRead } from './catalog.ts'
import { eventually, observe, recordsOf } from './ledger.ts'

/** An answer of the console or of replay. */
export type Answer = { readonly status: number; readonly body: Record<string, unknown> }

/** Calls the console API as a person or agent. */
export async function callConsole(
  system: System,
  as: string,
  call: { method?: string; path: string; body?: unknown },
): Promise<Answer> {
  return callApi(system.urls.console, await system.tokenFor(as), call)
}

/** Calls the replay API. */
export async function callReplay(system: System, as: string, path: string): Promise<Answer> {
  return callApi(system.urls.replay, await system.tokenFor(as), { path })
}

async function callApi(
  url: string,
  token: string,
  call: { method?: string; path: string; body?: unknown },
): Promise<Answer> {
  const response = await fetch(`${url}${call.path}`, {
    method: call.method ?? 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  })
  const text = await response.text()
  const parsed: unknown = text === '' ? {} : JSON.parse(text)
  return {
    status: response.status,
    body: Array.isArray(parsed) ? { items: parsed } : Object(parsed),
  }
}

/** Countersigns a request as a person, and gives the outcome of the vote. */
export const countersign = (
  system: System,
  as: string,
  requestId: string,
  digest?: string,
): Promise<Answer> =>
  vote(system, as, {
    path: `/v1/requests/${requestId}/countersign`,
    body: digest === undefined ? {} : { digest },
  })

/** Denies a request as a person, and gives the outcome of the vote. */
export const deny = (
  system: System,
  as: string,
  requestId: string,
  words: string,
): Promise<Answer> => vote(system, as, { path: `/v1/requests/${requestId}/deny`, body: { words } })

/** Applies the example catalog with the ports of this system, and waits until every service has read it. */
export async function applyCatalog(
  system: System,
  change: (name: string, text: string) => string = (_, text) => text,
): Promise<Answer> {
  const names = await readdir(system.catalogDir)
  const files = await Promise.all(
    names.map(async (name) => ({
      name,
      text: change(name, await readFile(`${system.catalogDir}/${name}`, 'utf8')),
    })),
  )
  const variables = { POSTGRES_PORT: String(system.instance.ports.postgres) }
  const answer = await callConsole(system, 'olga', {
    method: 'PUT',
    path: '/v1/catalog',
    body: { files, variables },
  })
  // A refused catalog changes nothing, so there is nothing to wait for.
  if (answer.status === 200) await everyoneHasRead(system, Number(answer.body['catalogOffset']))
  return answer
}

/**
 * Votes, and waits for the outcome, however busy the machine is: a console that was started just now may not know the
 * request yet (404), and approval may answer later than the console waits for it (202).
 */
async function vote(
  system: System,
  as: string,
  call: { path: string; body: unknown },
): Promise<Answer> {
  const answer = await eventually(
    'that the console knows the request',
    async () => {
      const said = await callConsole(system, as, { method: 'POST', ...call })
      return said.status !== 404 && said
    },
    VOTE_LIMIT_MS,
  )
  return answer.status === 202 ? outcomeOf(system, String(answer.body['reviewId'])) : answer
}

/** The answer that the console would have given to a vote, made from the events of approval that cite the vote. */
export async function outcomeOf(system: System, reviewId: string): Promise<Answer> {
  await using log = await observe(system)
  const review = (await recordsOf(log, 'reviews')).find((record) => idOf(record) === reviewId)
  if (review === undefined) throw new Error(`the vote ${reviewId} is not in the log`)
  const cause = formatPosition(review.position)
  const caused = await eventually(
    'the answer of approval to the vote',
    async () => {
      const found = (await recordsOf(log, 'approvals')).flatMap((record) =>
        record.status === 'understood' && causeOf(record) === cause ? [record.message] : [],
      )
      return found.length > 0 && found
    },
    VOTE_LIMIT_MS,
  )
  const refusal = caused.find((event) => event.type === 'CountersignatureRefused')
  if (refusal === undefined) return { status: 200, body: { reviewId } }
  const { reason, detail } = refusal
  const isOver = reason === 'NotPending' || reason === 'TooLate'
  return { status: isOver ? 409 : 403, body: { reason, detail, reviewId } }
}

const idOf = (record: LogRecord): string | null =>
  record.status === 'understood' ? record.id : null

const causeOf = ({ causation }: Understood): string | null =>
  causation === null ? null : formatPosition(causation)

const VOTE_LIMIT_MS = 60_000
