import type { Context } from '../context.ts'
import { answerOf } from '../http.ts'
import { json } from '../json.ts'
import { oneLine } from '../printable.ts'
import { table } from '../table.ts'
import { span } from '../time.ts'

/** Lists the connection profiles, to which one can connect. */
export async function profiles(context: Context): Promise<void> {
  const url = `${context.consoleUrl()}/v1/profiles`
  const answer = await answerOf({ url, token: await context.token() })
  const found = json.list(answer, 'profiles')
  context.print(answer, () =>
    found.length === 0
      ? 'No connection profile is in force.\n'
      : table(
          ['PROFILE', 'ENVIRONMENT', 'RECORDS', 'SESSION', 'ROWS'],
          found.map((profile) => [
            oneLine(json.text(profile, 'name')),
            oneLine(json.text(profile, 'environment')),
            json.text(profile, 'recording').toLowerCase(),
            `≤ ${span(json.number(profile, 'sessionMaxMs') ?? 0)}`,
            `≤ ${json.text(profile, 'rowsMax')}`,
          ]),
        ),
  )
}
