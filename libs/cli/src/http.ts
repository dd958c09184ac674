import {
  after,
  ERROR_CODES,
  type ErrorCode,
  messageOf,
  Problem,
  type Secret,
} from '@countersign/kernel'
import { json } from './json.ts'

export type HttpCall = {
  readonly url: string
  readonly token: Secret<string> | null
  readonly method?: 'GET' | 'POST' | 'PUT'
  /** Sent as JSON. */
  readonly body?: object
  /** Sent as a form (OAuth token endpoints). */
  readonly form?: Readonly<Record<string, string>>
  readonly accept?: string
  readonly limitMs?: number
}

/** The answer of a server, good or bad. */
export type Answered = { readonly status: number; readonly body: unknown }

/** Calls an API; a refusal is an answer too. */
export async function ask(call: HttpCall): Promise<Answered> {
  return answered(call, async (response) => ({
    status: response.status,
    body: parsed(await response.text()),
  }))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Calls an API; a refusal is thrown as the problem that the server wrote (RFC 9457). */
export async function answerOf(call: HttpCall): Promise<unknown> {
  const found = await ask(call)
  if (found.status >= 400) throw problemIn(found)
  return found.body
}

/** The problem that a server reports. */
export function problemIn({ status, body }: Answered): Problem {
  const code = json.text(body, 'code')
  const detail = json.textOrNull(body, 'detail') ?? `the server answered ${status}`
  const told = json.textOrNull(body, 'hint') ?? (status === 401 ? TOKEN_HINT : null)
  const hint = told?.replace(CALL, (call, name: string) => COMMANDS.get(name) ?? call) ?? null
  return new Problem(
    isErrorCode(code) ? code : 'CS_INTERNAL',
    detail,
    hint === null ? {} : { hint },
  )
}

/** The console speaks of its API; at the command line the same has the name of a command. */
const CALL = /GET \/v1\/(\w+)/g
const COMMANDS: ReadonlyMap<string, string> = new Map([
  ['requests', '`countersign requests`'],
  ['profiles', '`countersign profiles`'],
  ['catalog', '`countersign catalog list`'],
])

/** The response itself, for streams; throws where the server cannot be reached. */
export const opened = (call: HttpCall): Promise<Response> =>
  answered(call, async (response) => response)

/** Calls, and reads the wanted part of the response within the same limit. */
async function answered<T>(call: HttpCall, take: (response: Response) => Promise<T>): Promise<T> {
  const { url, token, accept = 'application/json', limitMs = LIMIT_MS } = call
  const stop = new AbortController()
  using _limit = after(limitMs, () => stop.abort())
  const content = contentOf(call)
  try {
    const response = await fetch(url, {
      method: call.method ?? (content === null ? 'GET' : 'POST'),
      signal: stop.signal,
      // A redirect could carry the token to another place.
      redirect: 'error',
      headers: {
        accept,
        ...(token === null ? {} : { authorization: `Bearer ${token.expose()}` }),
        ...(content === null ? {} : { 'content-type': content.type }),
      },
      ...(content === null ? {} : { body: content.text }),
    })
    return await take(response)
  } catch (cause) {
    if (stop.signal.aborted) throw late(url, limitMs)
    throw new Problem(
      'CS_SERVICE_UNAVAILABLE',
      `${new URL(url).origin} cannot be reached: ${reasonOf(cause)}`,
      {
        cause,
        retriable: true,
        hint: 'Run `countersign doctor` to see what is wrong.',
      },
    )
  }
}

const late = (url: string, limitMs: number): Problem =>
  new Problem(
    'CS_SERVICE_UNAVAILABLE',
    `${new URL(url).origin} gave no answer within ${limitMs / 1_000} s`,
    {
      retriable: true,
      hint: 'The service is busy or away: try again later, or run `countersign doctor`.',
    },
  )

function contentOf({ body, form }: HttpCall): { type: string; text: string } | null {
  if (body !== undefined) return { type: 'application/json', text: JSON.stringify(body) }
  if (form === undefined) return null
  return { type: 'application/x-www-form-urlencoded', text: new URLSearchParams(form).toString() }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  if (cause instanceof AggregateError && cause.errors.length > 0) return messageOf(cause.errors[0])
  return messageOf(cause ?? thrown)
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code)

const TOKEN_HINT =
  'Say who you are: --token, CS_TOKEN, or --as <name> with a development identity provider.'
const LIMIT_MS = 15_000
