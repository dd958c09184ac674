import { Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
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
  context.print(request, () => requestText(request, context.io.nowMs(), context.paint))
}
