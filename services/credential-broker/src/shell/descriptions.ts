import type pg from 'pg'
import { encode, type Profile } from '@countersign/contracts'
import { type Clock, Instant, keepNewest, Problem, SessionId } from '@countersign/kernel'
import { oversize } from '@countersign/log'
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
    const problem = await tooLarge(description)
    if (problem !== null) throw problem
    const kept = { description, danger, extent, atMs: clock.monotonicMs() }
    descriptions.delete(profile.version)
    descriptions.set(profile.version, kept)
    keepNewest(descriptions, DESCRIPTIONS_MAX)
    onDescribed(profile, description)
    return kept
  }
}

/** The problem of a description that does not fit into one record of the log; null where it does. */
export async function tooLarge(description: Description): Promise<Problem | null> {
  const about = { sessionId: SessionId(EMPTY_ID), at: Instant(0), requestId: null }
  const words = await oversize(encode({ type: 'TargetDescribed', ...about, ...description }))
  if (words === null) return null
  return new Problem(
    'CS_CREDENTIAL_FAILED',
    `the target is too large to be described: ${extentIn(description)}; ${words}`,
    {
      hint: 'Drop relations that nobody uses, or divide them among databases with a profile each.',
    },
  )
}

/** The extent of a description, for people. */
export function extentIn({ relations, routines, types }: Description): string {
  const columns = relations.reduce((sum, relation) => sum + relation.columns.length, 0)
  return `${relations.length} relations with ${columns} columns, ${routines.length} functions, ${types.length} types`
}

const EMPTY_ID = '00000000-0000-0000-0000-000000000000'
/** The time for which a description serves sessions that open, while nothing seems to have changed. */
const DESCRIPTION_MS = 30_000
/** The most descriptions that are kept; one that was dropped is made anew when it is needed. */
const DESCRIPTIONS_MAX = 256
