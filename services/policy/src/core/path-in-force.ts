import type { Profile, RequestSubject, TargetDescribed } from '@countersign/contracts'
import { keepNewest } from '@countersign/kernel'
import { meantPath, pathIn, type PathRules, pathRulesOf } from '@countersign/statements'

/** A target as the asking session sees it: its names are looked up along the search path in force. */
export type TargetInForce = TargetDescribed & { readonly pathRules: PathRules }

/**
 * The target along the search_path among the settings of a request, or else along its own path. Null if the session may
 * not have that path. The same path gives the same object again, so that a cache keyed by the target finds it.
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
  const inForce = { ...target, searchPath, pathRules }
  made.set(key, inForce)
  keepNewest(made, PATHS_MAX)
  return inForce
}

const MADE = new WeakMap<TargetDescribed, Map<string, TargetInForce>>()
/** At most this many paths of one target are remembered; making one again costs little. */
const PATHS_MAX = 64
