import { oneLine } from './printable.ts'
import type { Finding } from './target-checks.ts'

/** The revocations that do not succeed, from the metrics of the broker (Prometheus text format), a finding a profile. */
export const stuckRevocations = (metrics: string): readonly Finding[] =>
  metrics.split('\n').flatMap((line): Finding[] => {
    const found = STUCK.exec(line)
    const count = Number(found?.[2])
    const profile = PROFILE.exec(found?.[1] ?? '')?.[1] ?? ''
    if (!(count > 0)) return []
    return [
      {
        check: `${oneLine(profile)}: revocations`,
        status: 'failed',
        detail: `${count} ${count === 1 ? 'does' : 'do'} not succeed; each is tried again`,
        next: 'The log of credential-broker says why. Mend the target, the secret or the profile.',
      },
    ]
  })

const STUCK = /^countersign_revocations_stuck(?:\{(.*)\})? (\S+)/
const PROFILE = /(?:^|,)profile="([^"]*)"/
