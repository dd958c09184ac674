import type { CompositeField } from '@countersign/contracts'
import { type TypeRow, typesWithin } from './plain-types.ts'

/** The fields of the composite values that a value of a type holds, at any depth: through arrays, domains and ranges too. */
export function compositeFields(
  rows: readonly TypeRow[],
): (typeOid: number) => readonly CompositeField[] {
  // bound: one per type of a target
  const byOid = new Map(rows.map((row) => [Number(row.oid), row]))
  // bound: one per type of a target
  const found = new Map<number, readonly CompositeField[]>()
  return (typeOid) => {
    const known = found.get(typeOid) ?? fieldsWithin(typeOid, byOid)
    found.set(typeOid, known)
    return known
  }
}

function fieldsWithin(
  typeOid: number,
  byOid: ReadonlyMap<number, TypeRow>,
): readonly CompositeField[] {
  // A type may hold itself in an array. A Set gives what is added while it is walked, too.
  const within = new Set([typeOid])
  const found: CompositeField[] = []
  for (const oid of within) {
    const row = byOid.get(oid)
    if (row === undefined) continue
    const { schema, name: type, fields } = row
    for (const { name, label } of fields) found.push({ schema, type, name, label })
    for (const next of typesWithin(row)) within.add(next)
  }
  return found
}
