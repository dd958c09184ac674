import { readdir, readFile } from 'node:fs/promises'
import type { System } from '@countersign/local'
import { everyoneHasRead } from './catalog.ts'

/** What the console answers. */
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

export const countersign = (
  system: System,
  as: string,
  requestId: string,
  digest?: string,
): Promise<Answer> =>
  callConsole(system, as, {
    method: 'POST',
    path: `/v1/requests/${requestId}/countersign`,
    body: digest === undefined ? {} : { digest },
  })

export const deny = (
  system: System,
  as: string,
  requestId: string,
  words: string,
): Promise<Answer> =>
  callConsole(system, as, {
    method: 'POST',
    path: `/v1/requests/${requestId}/deny`,
    body: { words },
  })

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
  // A catalog that was refused changes nothing.
  if (answer.status === 200) await everyoneHasRead(system, Number(answer.body['catalogOffset']))
  return answer
}
