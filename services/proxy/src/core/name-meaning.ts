import type { TargetDescribed } from '@countersign/contracts'

/** The parts of a description that give names their meaning. */
export type Described = Pick<TargetDescribed, 'targetVersion' | 'relations' | 'routines' | 'types'>

/**
 * True if names in these texts may mean others by the second description than by the first; null for a text that is not
 * known. A table that came meanwhile under a name that no text has gives none another meaning. What no name leads to, such as
 * the check of a domain behind a column, counts always.
 */
export function meanOthers(
  texts: readonly (string | null)[],
  before: Described,
  now: Described,
): boolean {
  if (before.targetVersion === now.targetVersion) return false
  const words = wordsIn(texts)
  return words === null || meaningOf(before, words) !== meaningOf(now, words)
}

function meaningOf({ relations, routines, types }: Described, words: ReadonlySet<string>): string {
  const isNamed = ({ name }: { readonly name: string }): boolean => {
    const [word, ...others] = split(name)
    // Of a name that is no word, such as the sign of an operator, it is not looked where it begins and ends.
    return word === undefined || others.length > 0 || words.has(word)
  }
  // A cast to a type of PostgreSQL itself needs no name.
  const counts = (routine: { readonly schema: string; readonly name: string }): boolean =>
    routine.schema === 'pg_catalog' || isNamed(routine)
  return JSON.stringify([reached(relations, isNamed), routines.filter(counts), types])
}

/** The relations that are named, what their views read, and the tables that inherit from any of them. */
function reached(
  relations: Described['relations'],
  isNamed: (relation: Described['relations'][number]) => boolean,
): Described['relations'] {
  const oids = new Set(relations.filter(isNamed).map(({ oid }) => oid))
  for (let size = 0; size < oids.size;) {
    size = oids.size
    for (const { oid, dependsOn, inherits } of relations) {
      if (oids.has(oid)) for (const { relationOid } of dependsOn) oids.add(relationOid)
      else if (inherits.some((parent) => oids.has(parent))) oids.add(oid)
    }
  }
  return relations.filter(({ oid }) => oids.has(oid))
}

/** All words of the texts; null where a name may be written otherwise than it is. */
function wordsIn(texts: readonly (string | null)[]): ReadonlySet<string> | null {
  // bound: the words of a statement
  const words = new Set<string>()
  for (const text of texts) {
    if (text === null || /u&"/i.test(text)) return null
    for (const word of split(text)) {
      words.add(cut(word))
    }
  }
  return words
}

const split = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}_$]+/u)
    .filter((word) => word !== '')

/** A name as PostgreSQL keeps it, which cuts it at a whole character. */
function cut(word: string): string {
  const bytes = Buffer.from(word)
  let end = Math.min(bytes.length, NAME_BYTES_MAX)
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

const NAME_BYTES_MAX = 63
