import { Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { type Exact, exactJson, exactRequest, exactText } from '../exact-request.ts'
import { requestText } from '../held-request.ts'
import { json } from '../json.ts'
import { findRequest } from './find-request.ts'

export type ShowOptions = {
  /** All of the data of a COPY, and not only the first lines. */
  data?: boolean
}

/** Shows one request with everything that a reviewer should look at. */
export async function show(
  context: Context,
  typed: string,
  { data = false }: ShowOptions = {},
): Promise<void> {
  const { id, request } = await findRequest(context, typed)
  if (request === null) {
    throw new Problem('CS_NOT_FOUND', `there is no request ${id} that you may see`, {
      hint: 'See `countersign requests --all`.',
    })
  }
  const exact = await exactRequest(context, request)
  context.print({ ...Object(request), exact: exactJson(exact) }, () =>
    shown(context, request, exact, data),
  )
}

/** A request for people: what it asks to the byte, and who is to countersign it. */
export function shown(context: Context, request: unknown, exact: Exact, isWhole = false): string {
  const { io, paint } = context
  const wholeBy = context.command(`show ${json.text(request, 'requestId')} --data`)
  return requestText(request, exactText(exact, paint, { isWhole, wholeBy }), {
    nowMs: io.nowMs(),
    paint,
  })
}
