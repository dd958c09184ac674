import { isUuid, Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { answerOf, ask, problemIn } from '../http.ts'
import { json } from '../json.ts'
import { matchingId } from '../short-id.ts'

/** A request by its id, or by the beginning or end of it. A request that the caller may not read is null. */
export async function findRequest(
  context: Context,
  typed: string,
): Promise<{ id: string; request: unknown }> {
  const url = `${context.consoleUrl()}/v1/requests`
  const token = await context.token()
  const wanted = typed.toLowerCase()
  if (isUuid(wanted)) {
    const answered = await ask({ url: `${url}/${wanted}`, token })
    if (answered.status === 404) return { id: wanted, request: null }
    if (answered.status >= 400) throw problemIn(answered)
    return { id: wanted, request: answered.body }
  }
  const requests = json.list(await answerOf({ url: `${url}?status=all`, token }), 'requests')
  // Requests that wait come first, since people mean those.
  const pending = requests.filter((request) => json.text(request, 'status') === 'pending')
  const found = [pending, requests].map((some) =>
    matchingId(
      typed,
      some.map((request) => json.text(request, 'requestId')),
    ),
  )
  const match = found.find((result) => result.ok) ?? found[1]
  if (match === undefined || !match.ok) {
    throw new Problem('CS_NOT_FOUND', `${typed}: ${match?.error ?? 'not found'}`, {
      hint: 'See `countersign requests --all`, or give the whole id.',
    })
  }
  const id = match.value
  return { id, request: requests.find((request) => json.text(request, 'requestId') === id) ?? null }
}
