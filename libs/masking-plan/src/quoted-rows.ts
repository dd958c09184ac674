import type { Relation } from '@countersign/contracts'
import { CONSTRAINT_FILES, type MessageFields } from './message.ts'
import type { MaskingPlan } from './plan.ts'

/** A relation by the names that messages have for it. */
export type NamedRelation = Pick<Relation, 'oid' | 'schema' | 'name'>

/**
 * True if a message may quote a row of a table with masked columns, whichever table its statement names. Purpose: foreign
 * keys, views and inheritance lead a write to rows of other tables, and PostgreSQL's own checks print them. Method: the
 * message itself names the table of the check, and the one whose key it prints; a table that the plan does not know counts
 * as masked. What a cascade runs into before any check is known by the statement of the cascade in its context.
 */
export function mayQuoteRows(
  plan: MaskingPlan,
  relations: readonly NamedRelation[],
  fields: MessageFields,
): boolean {
  if (plan.masksNothing === true) return false
  if (CONSTRAINT_FILES.has(fields.get('F') ?? '')) {
    if (!fields.has('D')) return false
    const { plain, masked } = namesOf(plan, relations)
    const table = fields.get('t')
    return (
      table === undefined ||
      !plain.has(qualified(fields.get('s') ?? '', table)) ||
      quoted(fields.get('M')).some((name) => masked.has(name))
    )
  }
  const context = fields.get('W') ?? ''
  if (!OF_CASCADE.test(context)) return false
  const { masked } = namesOf(plan, relations)
  return quoted(context.slice(0, CONTEXT_CHARACTERS_MAX)).some((name) => masked.has(name))
}

/** The tables, with their schemas, of which nothing is masked, and the names of those of which something is. */
type Names = { readonly plain: ReadonlySet<string>; readonly masked: ReadonlySet<string> }

function namesOf(plan: MaskingPlan, relations: readonly NamedRelation[]): Names {
  const last = LAST.get(plan)
  if (last?.relations === relations) return last.names
  const known = new Set(plan.relations.map(({ oid }) => oid))
  const tagged = new Set(plan.columns.map(({ tableOid }) => tableOid))
  // bound: one per relation of a target
  const plain = new Set<string>()
  // bound: one per relation of a target
  const masked = new Set<string>()
  for (const { oid, schema, name } of relations)
    if (known.has(oid) && !tagged.has(oid)) plain.add(qualified(schema, name))
    else masked.add(name)
  const names = { plain, masked }
  LAST.set(plan, { relations, names })
  return names
}

const qualified = (schema: string, name: string): string => JSON.stringify([schema, name])

/** The parts of a text that may stand in quotes, which differ by the language of the server. */
const quoted = (text = ''): readonly string[] => text.split(QUOTES).map((part) => part.trim())

const QUOTES = /["„“”«»‹›‚‘’']/
/** The statements of foreign keys: `UPDATE ONLY "shop"."orders" SET …`. */
const OF_CASCADE = /(?:UPDATE|DELETE FROM) ONLY "/
/** The statement of a cascade is shorter, unless its key has hundreds of columns. */
const CONTEXT_CHARACTERS_MAX = 16_384

const LAST = new WeakMap<
  MaskingPlan,
  { readonly relations: readonly NamedRelation[]; readonly names: Names }
>()
