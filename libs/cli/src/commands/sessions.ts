import type { Context } from '../context.ts'
import { answerOf } from '../http.ts'
import { json } from '../json.ts'
import { oneLine } from '../printable.ts'
import { shortId } from '../short-id.ts'
import { table } from '../table.ts'
import { moment, span } from '../time.ts'

export type SessionsOptions = { profile?: string; agent?: string; limit?: number }

/** Lists sessions, as replay knows them. */
export async function sessions(context: Context, options: SessionsOptions = {}): Promise<void> {
  const query = new URLSearchParams(
    Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()
  const answer = await answerOf({
    url: `${context.replayUrl()}/v1/sessions${query === '' ? '' : `?${query}`}`,
    token: await context.token(),
  })
  const found = sessionsIn(answer)
  context.print(answer, () =>
    found.length === 0
      ? 'There are no sessions that you may see.\n'
      : table(
          ['SESSION', 'AGENT', 'FOR', 'PROFILE', 'STARTED', 'LASTED', 'REQUESTS', 'END'],
          found.map((session) => {
            const started = json.textOrNull(session, 'startedAt')
            const ended = json.textOrNull(session, 'endedAt')
            const lasted =
              ended === null || started === null ? null : Date.parse(ended) - Date.parse(started)
            return [
              shortId(json.text(session, 'sessionId')),
              oneLine(json.text(session, 'agent')),
              oneLine(json.text(session, 'behalfOf')) || '–',
              oneLine(json.text(session, 'profile')),
              moment(started),
              lasted === null ? '–' : span(lasted),
              json.text(session, 'requests') || String(json.list(session, 'requests').length),
              ended === null
                ? context.paint('green', 'live')
                : oneLine(json.text(session, 'endReason')),
            ]
          }),
        ),
  )
}

/** The list itself, whether it stands alone or under the name `sessions`. */
export const sessionsIn = (answer: unknown): readonly unknown[] =>
  Array.isArray(answer) ? answer : json.list(answer, 'sessions')
