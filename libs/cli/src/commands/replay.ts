import { isUuid, Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { eventStream } from '../event-stream.ts'
import { answerOf, opened, problemIn } from '../http.ts'
import { json } from '../json.ts'
import { oneLine, printableJson } from '../printable.ts'
import { matchingId } from '../short-id.ts'
import { moment, momentOf } from '../time.ts'
import { timelineText } from '../timeline.ts'
import { sessionsIn } from './sessions.ts'

export type ReplayOptions = { follow?: boolean; internal?: boolean; rows: number }

/** Tells what happened in a session, as it was recorded; with `follow`, also what happens next. */
export async function replay(
  context: Context,
  typed: string,
  options: ReplayOptions,
): Promise<void> {
  const id = await findSession(context, typed)
  const url = `${context.replayUrl()}/v1/sessions/${id}`
  const answer = await answerOf({ url, token: await context.token() })
  const whole = json.list(answer, 'timeline')
  const isShown = (entry: unknown): boolean =>
    options.internal === true || !json.flag(entry, 'internal')
  const timeline = whole.filter(isShown)
  const startedMs = momentOf(json.member(timeline[0], 'at'))
  const entryText = (entry: unknown): string =>
    timelineText(entry, {
      paint: context.paint,
      rowsMax: options.rows,
      startedMs: startOr(startedMs, entry),
    })
  context.print(
    { ...Object(answer), timeline },
    () => `${headOf(answer, id, context)}${timeline.map(entryText).join('')}`,
  )
  if (options.follow !== true || json.flag(answer, 'complete')) return
  const seen = new Set(whole.map((entry) => JSON.stringify(entry)))
  for await (const entry of live(context, url)) {
    if (seen.has(JSON.stringify(entry)) || !isShown(entry)) continue
    context.io.out(context.settings.json ? `${printableJson(entry)}\n` : entryText(entry))
    if (json.text(entry, 'kind') === 'ended') return
  }
}

async function* live(context: Context, url: string): AsyncGenerator<unknown> {
  const response = await opened({
    url: `${url}/live`,
    token: await context.token(),
    accept: 'text/event-stream',
  })
  if (!response.ok)
    throw problemIn({ status: response.status, body: await response.json().catch(() => null) })
  if (response.body === null) return
  for await (const data of eventStream(response.body)) {
    const entry: unknown = JSON.parse(data)
    yield entry
  }
}

async function findSession(context: Context, typed: string): Promise<string> {
  const wanted = typed.toLowerCase()
  if (isUuid(wanted)) return wanted
  const answer = await answerOf({
    url: `${context.replayUrl()}/v1/sessions`,
    token: await context.token(),
  })
  const match = matchingId(
    typed,
    sessionsIn(answer).map((session) => json.text(session, 'sessionId')),
  )
  if (match.ok) return match.value
  throw new Problem('CS_NOT_FOUND', `${typed}: ${match.error}`, {
    hint: 'See `countersign sessions`.',
  })
}

/** The session stands beside the timeline, or under a name. */
function headOf(answer: unknown, id: string, { paint }: Context): string {
  const session = json.member(answer, 'session') ?? answer
  const behalfOf = json.textOrNull(session, 'behalfOf')
  const who = `${oneLine(json.text(session, 'agent'))}${behalfOf === null ? '' : ` for ${oneLine(behalfOf)}`}`
  const where = `${oneLine(json.text(session, 'profile'))} (${oneLine(json.text(session, 'environment'))})`
  const state = stateOf(answer)
  return `${paint('bold', id)}  ${who} → ${where}  ${moment(json.textOrNull(session, 'startedAt'))}${paint('yellow', state)}\n\n`
}

/** Of a session whose proxy was killed, the end is not known. */
function stateOf(answer: unknown): string {
  if (json.flag(answer, 'cutShort')) return '  cut short'
  return json.flag(answer, 'complete') ? '' : '  live'
}

const startOr = (startedMs: number, entry: unknown): number =>
  Number.isNaN(startedMs) ? momentOf(json.member(entry, 'at')) : startedMs
