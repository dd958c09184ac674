import { Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { exactRequest } from '../exact-request.ts'
import { ask, problemIn } from '../http.ts'
import { json } from '../json.ts'
import { styleOf } from '../paint.ts'
import { problemJson, problemText } from '../problem.ts'
import { oneLine } from '../printable.ts'
import { findRequest } from './find-request.ts'
import { shown } from './show.ts'

export type ApproveOptions = {
  /** Vote although the exact statement cannot be shown. */
  unseen?: boolean
  /** Vote without asking. */
  yes?: boolean
}

/** Countersigns requests, each after it was shown to the byte. */
export const approve = (
  context: Context,
  ids: readonly string[],
  options: ApproveOptions = {},
): Promise<number> =>
  each(context, ids, async (one, typed) => {
    const found = await findRequest(one, typed)
    // A request that cannot be shown is voted on so that the attempt is on record; without a terminal it needs --yes.
    if (found.request === null && options.yes !== true && !canAsk(one)) throw unasked(typed)
    const isWanted = found.request === null || (await isSeen(one, found.request, options))
    if (!isWanted) return 1
    return vote(one, found, 'countersign', (digest) => (digest === '' ? {} : { digest }))
  })

/** Shows the request, and says whether the vote may go on. Bytes that do not match the digest are never voted on. */
async function isSeen(
  context: Context,
  request: unknown,
  { unseen = false, yes = false }: ApproveOptions,
): Promise<boolean> {
  const { io, settings, paint } = context
  // A vote on a request that no longer waits is sent too: approval refuses it, and it is on record.
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
  if (!isPending || yes) return true
  if (!canAsk(context) || io.ask === null) throw unasked(json.text(request, 'requestId'))
  const answer = await io.ask(`Countersign exactly this? ${paint('dim', '[y/N]')} `)
  if (/^y(es)?$/i.test(answer.trim())) return true
  io.out('No vote was given.\n')
  return false
}

const canAsk = ({ io, settings }: Context): boolean => io.ask !== null && !settings.json

const unasked = (id: string): Problem =>
  new Problem('CS_BAD_REQUEST', 'no vote was given, since nobody can be asked here', {
    hint: `To countersign without being asked: \`countersign approve ${id} --yes\`.`,
  })

/** Refuses requests; the words reach the agent. */
export const deny = (
  context: Context,
  ids: readonly string[],
  options: { words: string },
): Promise<number> =>
  each(context, ids, async (one, typed) =>
    vote(one, await findRequest(one, typed), 'deny', () => ({ words: options.words })),
  )

/** Gives own requests up. */
export const withdraw = (context: Context, ids: readonly string[]): Promise<number> =>
  each(context, ids, async (one, typed) =>
    vote(one, await findRequest(one, typed), 'withdraw', () => ({})),
  )

/** Votes on one after the other; a failure of one keeps no other from its vote. Several answers are a list. */
async function each(
  context: Context,
  ids: readonly string[],
  run: (context: Context, typed: string) => Promise<number>,
): Promise<number> {
  const [only, ...more] = ids
  if (only !== undefined && more.length === 0) return run(context, only)
  // bound: one per id of the command line
  const answers: unknown[] = []
  const print: Context['print'] = (answer, text) =>
    context.settings.json ? void answers.push(answer) : context.print(answer, text)
  let status = 0
  for (const typed of new Set(ids)) {
    try {
      status = Math.max(status, await run({ ...context, print }, typed))
    } catch (thrown) {
      if (!(thrown instanceof Problem)) throw thrown
      status = 1
      if (context.settings.json) answers.push(problemJson(thrown, context.command))
      else context.io.err(problemText(thrown, context))
    }
  }
  if (context.settings.json) context.print(answers, () => '')
  return status
}

async function vote(
  context: Context,
  { id, request }: { id: string; request: unknown },
  verb: 'countersign' | 'deny' | 'withdraw',
  bodyOf: (digest: string) => object,
): Promise<number> {
  const url = `${context.consoleUrl()}/v1/requests/${id}/${verb}`
  const body = bodyOf(json.text(request, 'digest'))
  // A refused vote is recorded too, so a vote is sent even where it will be refused.
  const answered = await ask({ url, token: await context.token(), body })
  if (answered.status >= 400) {
    if (!context.settings.json) throw problemIn(answered)
    context.print(answered.body, () => '')
    return 1
  }
  const status = json.text(answered.body, 'status')
  context.print(answered.body, () => {
    if (status === 'waiting') {
      return `The vote on ${id} is recorded, and not counted yet: approval does not answer.\nNext: ${context.command(`show ${id}`)}\n`
    }
    const what = oneLine(json.text(json.member(answered.body, 'request'), 'summary'))
    const outcome = status === 'pending' ? 'pending, others must countersign too' : status
    return `${id}  ${context.paint(styleOf(status), outcome)}${what === '' ? '' : `\n  ${what}`}\n`
  })
  return status === 'waiting' ? 1 : 0
}
