import type { CatalogRoutine } from './catalog.ts'

/**
 * When a routine of the target may be chosen instead of a function of PostgreSQL of its name: never (pg_catalog comes first
 * and has the same arguments), where an argument is a value of a type of the target, where one is such a value or a literal,
 * or always.
 */
export type Overloads = 'never' | 'values' | 'literals' | 'always'

/** The routines of one name that may run anything, and those in C that only compute. */
export type Overloading = { readonly code: Overloads; readonly plain: Overloads }

/**
 * Purpose: to keep functions of PostgreSQL usable beside extensions that have some of their names, as citext has replace().
 * Method: the description says of each routine when PostgreSQL can choose it (func_select_candidate); a name counts as its worst.
 * Known limit: a call that names its arguments, or has VARIADIC or WITHIN GROUP, is not compared; it may choose any of them.
 */
export function overloadsIn(
  routines: readonly CatalogRoutine[],
): (name: string, isCatalogFirst: boolean) => Overloading {
  const byName = Map.groupBy(
    routines.filter(({ schema }) => schema !== 'pg_catalog'),
    ({ name }) => name,
  )
  // bound: one per name of a routine of the target, and way to find it
  const known = new Map<string, Overloading>()
  return (name, isCatalogFirst) => {
    const found = byName.get(name)
    if (found === undefined) return NONE
    const key = `${isCatalogFirst} ${name}`
    const before = known.get(key)
    if (before !== undefined) return before
    const worst = (isPlain: boolean): Overloads =>
      found
        .filter(({ plain }) => (plain ?? false) === isPlain)
        .map((routine) => overloadsOf(routine, isCatalogFirst))
        .reduce((one, other) => (ORDER.indexOf(one) < ORDER.indexOf(other) ? other : one), 'never')
    const overloading = { code: worst(false), plain: worst(true) }
    known.set(key, overloading)
    return overloading
  }
}

function overloadsOf({ overloads }: CatalogRoutine, isCatalogFirst: boolean): Overloads {
  const found = ORDER.find((each) => each === overloads) ?? 'always'
  return found === 'never' && !isCatalogFirst ? 'always' : found
}

const NONE: Overloading = { code: 'never', plain: 'never' }
const ORDER: readonly Overloads[] = ['never', 'values', 'literals', 'always']
