import type pg from 'pg'
import type { Profile } from '@countersign/contracts'
import { type Clock, keepNewest, Problem } from '@countersign/kernel'
import { describeTarget, type Description, extentOf } from './describe-target.ts'
import { creatable } from './roles.ts'
import type { TargetAdmins } from './target-admin.ts'

/**
 * The descriptions of targets, by profile. One connection at a time describes a target, so the last one is the newest.
 */
export type Descriptions = {
  /**
   * The target as it is, or lately was. Throws if its base roles may create something that the profile does not allow.
   */
  recent(profile: Profile): Promise<Description>
  /** Describes the target anew. */
  anew(profile: Profile): Promise<Description>
  /** The target as it is: described anew if its extent has changed. */
  refreshed(profile: Profile): Promise<Description>
}

export type DescriptionsOptions = {
  admins: TargetAdmins
  clock: Clock
  /** Called with each description that was made, whoever asked for it. */
  onDescribed(profile: Profile, description: Description): void
}

/** A description, with the extent and the danger that were found when it was made. */
type Kept = {
  readonly description: Description
  /** A sentence on what its base roles may create; null when nothing. */
  readonly danger: string | null
  readonly extent: string
  readonly atMs: number
}

export function descriptionsOf({ admins, clock, onDescribed }: DescriptionsOptions): Descriptions {
  // bound: DESCRIPTIONS_MAX
  const descriptions = new Map<string, Kept>()
  // bound: one per profile that is being described
  const turns = new Map<string, Promise<unknown>>()

  return {
    async recent(profile) {
      const { description, danger } =
        (await admins.on(profile, (client) => keptOf(client, profile))) ??
        (await described(profile))
      if (danger !== null && !profile.mayCreate) throw new Problem('CS_CREDENTIAL_FAILED', danger)
      return description
    },
    anew: async (profile) => (await described(profile)).description,
    async refreshed(profile) {
      const extent = await admins.on(profile, extentOf)
      const kept = descriptions.get(profile.version)
      return (kept?.extent === extent ? kept : await described(profile)).description
    },
  }

  /** The extent is asked for too: a table made since would be masked whole, even for a session opened because of it. */
  async function keptOf(client: pg.ClientBase, profile: Profile): Promise<Kept | null> {
    const kept = descriptions.get(profile.version)
    if (kept === undefined || clock.monotonicMs() - kept.atMs >= DESCRIPTION_MS) return null
    // After mending a base role people connect again at once, and no description changed with it.
    if (kept.danger !== null && !profile.mayCreate) return null
    return kept.extent === (await extentOf(client)) ? kept : null
  }

  function described(profile: Profile): Promise<Kept> {
    const before = turns.get(profile.version) ?? Promise.resolve()
    const turn = before
      .catch(() => undefined)
      .then(() => admins.on(profile, (client) => describedBy(client, profile)))
    turns.set(profile.version, turn)
    const over = (): void => {
      if (turns.get(profile.version) === turn) turns.delete(profile.version)
    }
    turn.then(over, over)
    return turn
  }

  async function describedBy(client: pg.ClientBase, profile: Profile): Promise<Kept> {
    const extent = await extentOf(client)
    const danger = await creatable(client, profile.baseRoles)
    const description = await describeTarget(client, profile)
    const kept = { description, danger, extent, atMs: clock.monotonicMs() }
    descriptions.delete(profile.version)
    descriptions.set(profile.version, kept)
    keepNewest(descriptions, DESCRIPTIONS_MAX)
    onDescribed(profile, description)
    return kept
  }
}

/** The time for which a description serves sessions that open, while nothing seems to have changed. */
const DESCRIPTION_MS = 30_000
/** The most descriptions that are kept; one that was dropped is made anew when it is needed. */
const DESCRIPTIONS_MAX = 256
