import { Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { type Exact, exactJson, exactRequest, exactText } from '../exact-request.ts'
import { requestText } from '../held-request.ts'
import { findRequest } from './find-request.ts'

/** Shows one request with everything that a reviewer should look at. */
export async function show(context: Context, typed: string): Promise<void> {
  const { id, request } = await findRequest(context, typed)
  if (request === null) {
    throw new Problem('CS_NOT_FOUND', `there is no request ${id} that you may see`, {
      hint: 'See `countersign requests --all`.',
    })
  }
  const exact = await exactRequest(context, request)
  context.print({ ...Object(request), exact: exactJson(exact) }, () =>
    shown(context, request, exact),
  )
}

/** A request for people: what it asks to the byte, and who is to countersign it. */
export const shown = ({ io, paint }: Context, request: unknown, exact: Exact): string =>
  requestText(request, exactText(exact, paint), { nowMs: io.nowMs(), paint })
