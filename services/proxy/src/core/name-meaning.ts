import type { TargetDescribed } from '@countersign/contracts'

/** The parts of a description that give names their meaning. */
export type Described = Pick<
  TargetDescribed,
  'targetVersion' | 'relations' | 'routines' | 'types' | 'eventTriggers'
>

/** The words of a request: its texts, null for one that is not known, and the values that came with them. */
export type Said = {
  readonly texts: readonly (string | null)[]
  readonly values: readonly (Uint8Array | null)[]
}

/**
 * True if what was said may do something else by the second description than by the first.
 *
 * Purpose: a request that people decided on hours ago is not run on other relations than they saw, or with other triggers,
 * cascades, policies and code behind these, and is not lost to a table that came meanwhile under a name that it does not have.
 * Method: relations, routines and types count whose names are words of what was said, the views and tables around them, those
 * that foreign keys and policies lead to, the types of their columns, and what no name leads to, such as the check of a domain.
 * Where any of them runs code of the target, all such code counts: it calls what it likes. In doubt, names mean others: where
 * CASCADE is said, which leads to whatever depends on an object; where a name may be written otherwise than it is (an escape,
 * or a name for `nextval` or a cast to `regclass` that is computed); and above `SAID_BYTES_MAX`.
 * Known limits: a value that is computed for a column or an operator of a type such as `regclass`, without a cast; the triggers
 * and policies of a relation that nothing but the body of a function names; code behind the function of an operator.
 */
export function meanOthers(said: Said, before: Described, now: Described): boolean {
  if (before.targetVersion === now.targetVersion) return false
  const words = wordsIn(said)
  if (words === null || words.has('cascade')) return true
  return meaningOf(before, words) !== meaningOf(now, words)
}

function meaningOf(
  { relations, routines, types, eventTriggers }: Described,
  words: ReadonlySet<string>,
): string {
  const isNamed = ({ name }: { readonly name: string }): boolean => {
    const [word, ...others] = split(name)
    // Of a name that is no word, such as the sign of an operator, it is not looked where it begins and ends.
    return word === undefined || others.length > 0 || words.has(kept(word))
  }
  // A cast to a type of PostgreSQL itself needs no name.
  const counts = (routine: { readonly schema: string; readonly name: string }): boolean =>
    routine.schema === 'pg_catalog' || isNamed(routine)
  const found = reached(relations, isNamed)
  const typesFound = reachedTypes(types, { relations: found, isNamed })
  const called = routines.filter(counts)
  const runsCode =
    found.some(hasCode) ||
    called.some(isCode) ||
    typesFound.some(({ plain, runsWhenRead }) => !plain || runsWhenRead)
  return JSON.stringify([
    found,
    runsCode ? routines : called,
    types.map((type) => ({ ...type, digest: '' })),
    (runsCode ? types : typesFound).map(({ oid, digest }) => [oid, digest]),
    eventTriggers,
  ])
}

/** True if a statement on the relation runs code of the target; a view that calls a function depends on 0. */
const hasCode = ({ runsCode, dependsOn }: Described['relations'][number]): boolean =>
  runsCode || dependsOn.some(({ relationOid }) => relationOid === 0)

/** True if the routine may call others: it has a name that is called by, and is not in C. */
const isCode = ({ schema, name, language, plain }: Described['routines'][number]): boolean =>
  schema !== 'pg_catalog' && split(name).length > 0 && !plain && !COMPILED.has(language)

const COMPILED: ReadonlySet<string> = new Set(['c', 'internal'])

/** The types that are named, those of the columns of relations, and all that these are made of. */
function reachedTypes(
  types: Described['types'],
  {
    relations,
    isNamed,
  }: {
    readonly relations: Described['relations']
    readonly isNamed: (type: Described['types'][number]) => boolean
  },
): Described['types'] {
  if (types.length === 0) return types
  const byOid = new Map(types.map((type) => [type.oid, type]))
  const waiting = types.filter(isNamed).map(({ oid }) => oid)
  for (const { columns } of relations) for (const { typeOid } of columns) waiting.push(typeOid)
  // bound: as long as one call
  const oids = new Set<number>()
  for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
    const type = byOid.get(oid)
    if (type === undefined || oids.has(oid)) continue
    oids.add(oid)
    waiting.push(type.of, ...type.parts)
  }
  return types.filter(({ oid }) => oids.has(oid))
}

/** The relations that are named, what their views read, and all that inherits from any of them, or that they lead to. */
function reached(
  relations: Described['relations'],
  isNamed: (relation: Described['relations'][number]) => boolean,
): Described['relations'] {
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]))
  // bound: as long as one call
  const heirs = new Map<number, number[]>()
  for (const { oid, inherits } of relations)
    for (const parent of inherits) {
      const known = heirs.get(parent)
      if (known === undefined) heirs.set(parent, [oid])
      else known.push(oid)
    }
  const waiting = relations.filter(isNamed).map(({ oid }) => oid)
  // bound: as long as one call
  const oids = new Set<number>()
  for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
    if (oids.has(oid)) continue
    oids.add(oid)
    const relation = byOid.get(oid)
    for (const { relationOid } of relation?.dependsOn ?? []) waiting.push(relationOid)
    waiting.push(...(relation?.reaches ?? []), ...(heirs.get(oid) ?? []))
  }
  return relations.filter(({ oid }) => oids.has(oid))
}

/** All words of what was said; null where a name may be written otherwise than it is, or so much was said. */
function wordsIn({ texts, values }: Said): ReadonlySet<string> | null {
  const names = values.filter((value) => value !== null && value.length <= NAME_VALUE_BYTES_MAX)
  let bytes = 0
  for (const each of [...texts, ...names]) bytes += each?.length ?? 0
  if (bytes > SAID_BYTES_MAX) return null
  for (const text of texts) if (text === null || mayHideNames(text)) return null
  return new Set(split([...texts, ...names.map(String)].join(' ')).map(kept))
}

/** True if a name may stand in the text otherwise than as a word: behind an escape, or computed for code that looks names up. */
function mayHideNames(text: string): boolean {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0
  if (/\\|u&["']/i.test(text)) return true
  const [calls, types] = [count(LOOKING_UP), count(REG_TYPES)]
  // A comment may end in what looks like a literal.
  if (calls + types > 0 && /--|\/\*/.test(text)) return true
  return calls !== count(LOOKING_UP_LITERALS) || types !== count(LITERALS_OF_REG_TYPES)
}

const split = (text: string): string[] =>
  text.split(/[^\p{L}\p{M}\p{N}_$]+/u).filter((word) => word !== '')

/** A word as PostgreSQL keeps a name, in small letters: other case may take more bytes, so it is cut before and after. */
const kept = (word: string): string =>
  word.length <= SURELY_SHORT ? word.toLowerCase() : cut(cut(word).toLowerCase())

/** A name as PostgreSQL keeps it, which cuts it at a whole character. */
function cut(word: string): string {
  const bytes = Buffer.from(word)
  let end = Math.min(bytes.length, NAME_BYTES_MAX)
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

/** Functions of PostgreSQL that look up a name, or run SQL, in an argument. */
const LOOKS_UP =
  '(?:nextval|setval|currval|to_reg\\w+|pg_\\w+|brin_\\w+|gin_\\w+|\\w+_to_xml\\w*|ts_\\w+|row_security_active)'
const LITERAL = "(?:'[^']*'|\\$\\d+)"
const LOOKING_UP = new RegExp(`\\b${LOOKS_UP}"?\\s*\\(`, 'gi')
const LOOKING_UP_LITERALS = new RegExp(
  `\\b${LOOKS_UP}\\s*\\(\\s*(?:\\)|${LITERAL}\\s*(?:::\\s*[\\w.]+\\s*)?[,)])`,
  'gi',
)
const REG_TYPES =
  /\breg(?:class|proc|procedure|oper|operator|type|role|namespace|collation|config|dictionary)\b/gi
const LITERALS_OF_REG_TYPES = new RegExp(
  `(?<!'\\s*)${LITERAL}\\s*::\\s*(?:pg_catalog\\.)?${REG_TYPES.source}`,
  'gi',
)

/** A schema and a name of 63 bytes each, in quotes that stand twice: no longer value is a name. */
const NAME_VALUE_BYTES_MAX = 300
/** Texts and short values above this are not searched for names: others wait for the same event loop. */
const SAID_BYTES_MAX = 64 * 1024
const NAME_BYTES_MAX = 63
/** In characters, of which the longest takes three bytes in either case. */
const SURELY_SHORT = 20
