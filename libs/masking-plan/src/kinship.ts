import type { Relation } from '@countersign/contracts'

/**
 * The relations through which the same rows can be read: those that a relation inherits from or is a partition of, and
 * those that inherit from it, however far away. A column has the same name in all of them.
 */
export function kinshipOf(
  relations: readonly Relation[],
): (relation: Relation) => readonly Relation[] {
  const byOid = new Map(relations.map((relation) => [relation.oid, relation]))
  const children = new Map<number, number[]>()
  for (const { oid, inherits } of relations) {
    for (const parent of inherits) children.set(parent, [...(children.get(parent) ?? []), oid])
  }
  const above = (oid: number): readonly number[] => byOid.get(oid)?.inherits ?? []
  const below = (oid: number): readonly number[] => children.get(oid) ?? []
  return ({ oid }) =>
    [...reached(oid, above), ...reached(oid, below)].flatMap((each) => byOid.get(each) ?? [])
}

function reached(from: number, next: (oid: number) => readonly number[]): ReadonlySet<number> {
  const found = new Set<number>()
  const open = [...next(from)]
  for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
    if (oid === from || found.has(oid)) continue
    found.add(oid)
    open.push(...next(oid))
  }
  return found
}
