import type { MaskingPlan } from './plan.ts'

/**
 * True if a plan masks anything that answers under way may show differently than the plan before. A relation that was
 * only added is in none of them; where another one is gone, it may have come in its place.
 */
export function maskDifferently(before: MaskingPlan, now: MaskingPlan): boolean {
  const oids = new Set(now.relations.map(({ oid }) => oid))
  const isAnyGone = before.relations.some(({ oid }) => !oids.has(oid))
  for (const { oid } of before.relations) oids.delete(oid)
  const columns = now.columns.filter(({ tableOid }) => isAnyGone || !oids.has(tableOid))
  return (
    before.untagged !== now.untagged ||
    before.tainted !== now.tainted ||
    before.passwordLike !== now.passwordLike ||
    before.masksNothing !== now.masksNothing ||
    !isSameSet(before.detectors.map(detectorKey), now.detectors.map(detectorKey)) ||
    !isSameSet(before.columns.map(columnKey), columns.map(columnKey))
  )
}

/**
 * The plan for answers during which another plan replaced the first: it is not known to which of the two their rows
 * belong. Where they differ values are masked whole, and so is each relation that only one of them knows.
 */
export function bothPlans(before: MaskingPlan, now: MaskingPlan): MaskingPlan {
  const attnums = new Map(before.relations.map(({ oid, attnumMax }) => [oid, attnumMax]))
  const detectors = new Map(before.detectors.map((detector) => [detector.name, detector]))
  for (const { name, method } of now.detectors) {
    const isSame = (detectors.get(name)?.method ?? method) === method
    detectors.set(name, { name, method: isSame ? method : 'Redact' })
  }
  return {
    columns: bothColumns(before.columns, now.columns),
    untagged: before.untagged === now.untagged ? now.untagged : 'Redact',
    tainted: before.tainted === now.tainted ? now.tainted : 'Redact',
    passwordLike: before.passwordLike === now.passwordLike ? now.passwordLike : 'Redact',
    detectors: [...detectors.values()],
    relations: now.relations.flatMap(({ oid, attnumMax }) => {
      const known = attnums.get(oid)
      return known === undefined ? [] : [{ oid, attnumMax: Math.min(known, attnumMax) }]
    }),
    masksNothing: before.masksNothing === true && now.masksNothing === true,
  }
}

function bothColumns(
  before: MaskingPlan['columns'],
  now: MaskingPlan['columns'],
): MaskingPlan['columns'] {
  const same = new Set(before.map(columnKey)).intersection(new Set(now.map(columnKey)))
  const columns = new Map<string, MaskingPlan['columns'][number]>()
  for (const column of [...before, ...now])
    columns.set(
      `${column.tableOid}/${column.attnum}`,
      same.has(columnKey(column)) ? column : { ...column, tag: CHANGED, method: 'Redact' },
    )
  return [...columns.values()]
}

type Masked = MaskingPlan['columns'][number]

const columnKey = ({ tableOid, attnum, tag, method }: Masked): string =>
  `${tableOid}/${attnum}/${method}/${tag}`

const detectorKey = ({ name, method }: MaskingPlan['detectors'][number]): string =>
  `${name}/${method}`

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  const all = new Set(one)
  return all.size === new Set(other).size && other.every((key) => all.has(key))
}

/** The reason that is told to the agent. */
const CHANGED = 'changed while the statement ran'
