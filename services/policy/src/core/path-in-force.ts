import type { Profile, RequestSubject, TargetDescribed } from '@countersign/contracts'
import { meantPath, pathIn, type PathRules, pathRulesOf } from '@countersign/statements'

/** A target as the session sees it that asks: its names are looked up along the path in force. */
export type TargetInForce = TargetDescribed & { readonly pathRules: PathRules }

/**
 * The target along the search_path that stands among the settings of a request, or along its own. Null where the session may
 * not have that path. What was made once is given again, so that whoever remembers something of a target finds it.
 */
export function targetInForce(
  target: TargetDescribed,
  profile: Pick<Profile, 'searchPaths' | 'mayCreate'>,
  settings: RequestSubject['settings'],
): TargetInForce | null {
  const pathRules = pathRulesOf(target.searchPath, profile)
  const set = settings.find(({ name }) => name === 'search_path')
  const searchPath = set === undefined ? target.searchPath : meantPath(pathIn(set.value), pathRules)
  if (searchPath === null) return null
  const key = JSON.stringify([searchPath, pathRules])
  const made = MADE.get(target) ?? new Map<string, TargetInForce>()
  MADE.set(target, made)
  const known = made.get(key)
  if (known !== undefined) return known
  const [oldest] = made.keys()
  if (made.size >= PATHS_MAX && oldest !== undefined) made.delete(oldest)
  const inForce = { ...target, searchPath, pathRules }
  made.set(key, inForce)
  return inForce
}

const MADE = new WeakMap<TargetDescribed, Map<string, TargetInForce>>()
/** As many paths of one target are remembered; what is made again costs little. */
const PATHS_MAX = 64
