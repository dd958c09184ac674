import type { Context } from '../context.ts'
import { ask, problemIn } from '../http.ts'
import { json } from '../json.ts'
import { styleOf } from '../paint.ts'
import { oneLine } from '../printable.ts'
import { findRequest } from './find-request.ts'

/** Countersigns a request, as it was when it was looked up here. */
export const approve = (context: Context, typed: string): Promise<number> =>
  vote(context, typed, 'countersign', (digest) => (digest === '' ? {} : { digest }))

/** Refuses a request; the words reach the agent. */
export const deny = (
  context: Context,
  typed: string,
  options: { words: string },
): Promise<number> => vote(context, typed, 'deny', () => ({ words: options.words }))

/** Gives an own request up. */
export const withdraw = (context: Context, typed: string): Promise<number> =>
  vote(context, typed, 'withdraw', () => ({}))

async function vote(
  context: Context,
  typed: string,
  verb: 'countersign' | 'deny' | 'withdraw',
  bodyOf: (digest: string) => object,
): Promise<number> {
  const { id, request } = await findRequest(context, typed)
  const url = `${context.consoleUrl()}/v1/requests/${id}/${verb}`
  const body = bodyOf(json.text(request, 'digest'))
  // A vote that is refused is recorded too, so also one that will be is sent.
  const answered = await ask({ url, token: await context.token(), body })
  if (answered.status >= 400) {
    if (!context.settings.json) throw problemIn(answered)
    context.print(answered.body, () => '')
    return 1
  }
  const status = json.text(answered.body, 'status')
  context.print(answered.body, () => {
    if (status === 'waiting') {
      return `The vote on ${id} is recorded, and not counted yet: approval does not answer.\nNext: countersign show ${id}\n`
    }
    const what = oneLine(json.text(json.member(answered.body, 'request'), 'summary'))
    const outcome = status === 'pending' ? 'pending, others must countersign too' : status
    return `${id}  ${context.paint(styleOf(status), outcome)}${what === '' ? '' : `\n  ${what}`}\n`
  })
  return status === 'waiting' ? 1 : 0
}
