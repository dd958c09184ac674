import { isGivenUnasked, mayBeginWith, START_SETTINGS_MAX } from '@countersign/statements'
import { obligationsOf } from './obligations.ts'
import type { Answer } from './policy-set.ts'

/** The settings that a session wants to begin with: names in small letters, and values. */
export type StartSettings = readonly (readonly [name: string, value: string])[]

/** Asks the policies about one SET of these settings. */
type AskSet = (names: readonly string[]) => Answer

/**
 * The reason why a session may not begin with these settings; null where it may. Each counts as the SET of it, but nothing is held
 * at the start: no login waits for people. Drivers give what only changes presentation or limits, and the path, without being
 * asked: policies keep those from no session unless they say so of the name.
 */
export function settingRefused(settings: StartSettings, ask: AskSet): string | null {
  if (settings.length > START_SETTINGS_MAX)
    return `a session begins with no more than ${START_SETTINGS_MAX} settings`
  const unnamed = standing(ask([]))
  for (const [name, value] of settings) {
    if (!mayBeginWith(name, value)) return `no session begins with the setting ${shown(name)}`
    const named = standing(ask([name]))
    const isFree = isGivenUnasked(name) && named.rank <= unnamed.rank
    if (named.rank > 0 && !isFree) return `the setting ${shown(name)} ${named.why}`
  }
  return null
}

/** An answer by how much it refuses: 0 permits at once. */
function standing(answer: Answer): { readonly rank: 0 | 1 | 2 | 3; readonly why: string } {
  switch (answer.status) {
    case 'forbidden':
      return { rank: 3, why: `is forbidden by policy ${answer.rules.join(', ')}: ${answer.reason}` }
    case 'unmatched':
      return { rank: 2, why: 'is permitted by no policy (session-change)' }
    case 'permitted': {
      const [chain] = obligationsOf([answer], 'Full').reviews
      if (chain === undefined) return { rank: 0, why: '' }
      const rules = answer.rules.join(', ')
      return {
        rank: 1,
        why: `needs a review by policy ${rules} (${chain}), for which no login waits: SET it in the session`,
      }
    }
  }
}

const shown = (name: string): string =>
  name.length <= NAME_MAX ? name : `${name.slice(0, NAME_MAX)}…`
/** PostgreSQL's own names are at most 63 bytes long. */
const NAME_MAX = 63
