import type { Context } from '../context.ts'
import { answerOf } from '../http.ts'
import { json } from '../json.ts'
import { oneLine } from '../printable.ts'
import { left, moment } from '../time.ts'

/** Says who the caller is to Countersign, and what they may do. */
export async function whoami(context: Context): Promise<void> {
  const url = `${context.consoleUrl()}/v1/whoami`
  const answer = await answerOf({ url, token: await context.token() })
  context.print(answer, () => {
    const behalfOf = json.textOrNull(answer, 'behalfOf')
    const expiresAt = json.textOrNull(answer, 'expiresAt')
    const lines: [string, string][] = [
      ['name', json.text(answer, 'name')],
      ['is', json.flag(answer, 'isAgent') ? 'an agent' : 'a person'],
      ...(behalfOf === null ? [] : [['acts for', behalfOf] satisfies [string, string]]),
      ['groups', json.texts(answer, 'groups').join(', ') || 'none'],
      ['reviews', json.texts(answer, 'reviews').join(', ') || 'nothing'],
      ['catalog', json.flag(answer, 'mayApply') ? 'may change it' : 'may not change it'],
      ['token', `${left(expiresAt, context.io.nowMs())} left, until ${moment(expiresAt)}`],
    ]
    return lines
      .map(([name, text]) => `${context.paint('dim', name.padEnd(9))}${oneLine(text)}\n`)
      .join('')
  })
}
