import { Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { exactRequest } from '../exact-request.ts'
import { ask, problemIn } from '../http.ts'
import { json } from '../json.ts'
import { styleOf } from '../paint.ts'
import { oneLine } from '../printable.ts'
import { findRequest } from './find-request.ts'
import { shown } from './show.ts'

export type ApproveOptions = {
  /** Vote although the exact statement cannot be shown. */
  unseen?: boolean
  /** Do not ask. */
  yes?: boolean
}

/** Countersigns a request, after it was shown to the byte. */
export async function approve(
  context: Context,
  typed: string,
  options: ApproveOptions = {},
): Promise<number> {
  const found = await findRequest(context, typed)
  const isWanted = found.request === null || (await isSeen(context, found.request, options))
  if (!isWanted) return 1
  return vote(context, found, 'countersign', (digest) => (digest === '' ? {} : { digest }))
}

/** Shows what is voted on; whether the vote may go on. What the digest is not of is never voted on. */
async function isSeen(
  context: Context,
  request: unknown,
  { unseen = false, yes = false }: ApproveOptions,
): Promise<boolean> {
  const { io, settings, paint } = context
  // Who votes on what no longer waits is told so by approval, and it is on record.
  const isPending = json.text(request, 'status') === 'pending'
  const exact = await exactRequest(context, request)
  if (!settings.json) io.out(`${shown(context, request, exact)}\n`)
  if (isPending && exact.status === 'different') {
    throw new Problem('CS_GRANT_MISMATCH', `no vote was given: ${exact.why}`, {
      hint: 'Deny the request, and find out who changed what.',
    })
  }
  if (isPending && exact.status === 'missing' && !unseen) {
    throw new Problem(
      'CS_NOT_FOUND',
      `no vote was given, since the exact statement cannot be shown: ${exact.why}`,
      { hint: 'Try again. To countersign what you cannot see, on its digest alone: --unseen.' },
    )
  }
  if (!isPending || yes || settings.json || io.ask === null) return true
  const answer = await io.ask(`Countersign exactly this? ${paint('dim', '[y/N]')} `)
  if (/^y(es)?$/i.test(answer.trim())) return true
  io.out('No vote was given.\n')
  return false
}

/** Refuses a request; the words reach the agent. */
export const deny = async (
  context: Context,
  typed: string,
  options: { words: string },
): Promise<number> =>
  vote(context, await findRequest(context, typed), 'deny', () => ({ words: options.words }))

/** Gives an own request up. */
export const withdraw = async (context: Context, typed: string): Promise<number> =>
  vote(context, await findRequest(context, typed), 'withdraw', () => ({}))

async function vote(
  context: Context,
  { id, request }: { id: string; request: unknown },
  verb: 'countersign' | 'deny' | 'withdraw',
  bodyOf: (digest: string) => object,
): Promise<number> {
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
