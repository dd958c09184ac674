import { json } from './json.ts'
import { oneLine } from './printable.ts'
import type { Finding } from './target-checks.ts'
import { moment, span } from './time.ts'

/** The revocations that do not succeed, from what the broker reports at /revocations, a finding a profile. */
export const stuckRevocations = (report: unknown, nowMs: number): readonly Finding[] =>
  json.list(report, 'stuck').map((one) => {
    const count = json.number(one, 'count') ?? 1
    const failingMs = json.number(one, 'failingMs') ?? 0
    const since = moment(new Date(nowMs - failingMs).toISOString())
    const which = count === 1 ? 'one does not succeed' : `${count} do not succeed, the longest`
    return {
      check: `${oneLine(json.text(one, 'profile'))}: revocations`,
      status: 'failed',
      detail: `${which}: role ${oneLine(json.text(one, 'role'))}, since ${since} (${span(failingMs)}): ${oneLine(json.text(one, 'cause'))}`,
      next: 'Mend the target, the secret or the profile. It is tried again every few minutes, and at once when the profile is applied.',
    }
  })
