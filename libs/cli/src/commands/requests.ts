import type { Context } from '../context.ts'
import { requestTable } from '../held-request.ts'
import { answerOf } from '../http.ts'
import { json } from '../json.ts'
import { show } from './show.ts'

/** Lists what waits for a countersignature; or shows one request. */
export async function requests(
  context: Context,
  typed: string | undefined,
  options: { all?: boolean },
): Promise<void> {
  if (typed !== undefined) return show(context, typed)
  const status = options.all === true ? 'all' : 'pending'
  const url = `${context.consoleUrl()}/v1/requests?status=${status}`
  const answer = await answerOf({ url, token: await context.token() })
  const found = json.list(answer, 'requests')
  context.print(answer, () =>
    found.length === 0
      ? 'Nothing waits for a countersignature that you may see.\n'
      : requestTable(found, context.io.nowMs(), context.paint),
  )
}
