import { Problem, rested } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { requestLine, requestTable } from '../held-request.ts'
import { answerOf } from '../http.ts'
import { json } from '../json.ts'
import { printableJson } from '../printable.ts'

export type RequestsOptions = {
  all?: boolean
  status?: string
  profile?: string
  agent?: string
  since?: string
  limit?: number
  watch?: boolean
}

/** Lists the requests that wait for a countersignature, shows one request, or watches for new ones. */
export async function requests(
  context: Context,
  typed: string | undefined,
  options: RequestsOptions,
): Promise<void> {
  if (typed !== undefined) return (await import('./show.ts')).show(context, typed)
  if (options.watch === true) return watched(context, options)
  const answer = await answerOf({ url: urlOf(context, options), token: await context.token() })
  const found = json.list(answer, 'requests')
  context.print(answer, () =>
    found.length === 0
      ? `${options.all === true ? 'There is no request' : 'Nothing waits for a countersignature'} that you may see.\n`
      : requestTable(found, context.io.nowMs(), context.paint),
  )
}

/** Prints a line for each request that is there, that comes, and that changes, until the caller stops it. */
async function watched(context: Context, options: RequestsOptions): Promise<void> {
  const said = new Map<string, string>()
  let etag = ''
  let isFirst = true
  for (;;) {
    const after = etag === '' ? {} : { after: etag, waitMs: String(WAIT_MS) }
    // The end of a request that was seen to wait is told too, so all are asked for.
    const url = urlOf(context, { ...options, all: true }, after)
    const answer = await answered(url)
    if (answer === null) {
      await rested(RETRY_MS)
      continue
    }
    etag = json.text(answer, 'etag')
    for (const request of json.list(answer, 'requests')) {
      const [id, status] = [json.text(request, 'requestId'), json.text(request, 'status')]
      const state = `${status} ${json.texts(request, 'signedBy').join(' ')}`
      const isNews = said.get(id) !== state
      said.set(id, state)
      const isWanted = options.status === undefined || options.status === status
      const isPast =
        isFirst && status !== 'pending' && options.all !== true && options.status === undefined
      if (!isNews || isPast || !isWanted) continue
      context.io.out(
        context.settings.json
          ? `${printableJson(request)}\n`
          : requestLine(request, context.io.nowMs(), context.paint),
      )
    }
    isFirst = false
  }

  /** Null where the console is away, since it may come back; a refusal is thrown, and any failure of the first call. */
  async function answered(url: string): Promise<unknown> {
    try {
      return await answerOf({ url, token: await context.token(), limitMs: WAIT_MS + 15_000 })
    } catch (thrown) {
      if (isFirst || !(thrown instanceof Problem && thrown.retriable)) throw thrown
      return null
    }
  }
}

function urlOf(
  context: Context,
  { all = false, status, profile, agent, since, limit }: RequestsOptions,
  more: Record<string, string> = {},
): string {
  const query = new URLSearchParams({ status: all ? 'all' : (status ?? 'pending') })
  const given = {
    profile,
    agent,
    since,
    limit: limit === undefined ? undefined : String(limit),
    ...more,
  }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value)
  return `${context.consoleUrl()}/v1/requests?${query.toString()}`
}

/** The longest wait of the console for news, before it answers without. */
const WAIT_MS = 20_000
const RETRY_MS = 2_000
