import type { DescribedType, TargetDescribed, ValueType } from '@countersign/contracts'

/** The types of the target with these OIDs, and those that their values may hold. PostgreSQL's own are left out. */
export function valueTypes(target: TargetDescribed, oids: readonly number[]): ValueType[] {
  const open = oids.filter((oid) => oid >= FIRST_OF_USERS)
  if (open.length === 0) return []
  const byOid = new Map(target.types.map((type) => [type.oid, type]))
  const found = new Map<number, DescribedType>()
  while (open.length > 0 && found.size < VALUE_TYPES_MAX) {
    const type = byOid.get(open.pop() ?? 0)
    if (type === undefined || found.has(type.oid)) continue
    found.set(type.oid, type)
    open.push(type.of, ...type.parts)
  }
  return [...found.values()].map(({ oid, schema, name, kind, of }) => ({
    ...{ oid, kind, of },
    name: `${schema}.${name}`,
  }))
}

/** Types that PostgreSQL itself made have smaller OIDs (FirstNormalObjectId). */
const FIRST_OF_USERS = 16_384
/** The most types that are named; values of types beyond these are shown as bytes. */
const VALUE_TYPES_MAX = 200
