/**
 * The numbers of the parameters that a text names more than once. Where the type of one is not declared, any of these places may
 * decide it, and at the others its value is converted: with `shop.role` for $1, `set_config($1::text, …)` beside `$1::regclass`
 * sets `role`. Counted in the bare text, so that comments and literals count too.
 */
export function sharedParameters(sql: string): ReadonlySet<number> {
  const seen = new Set<number>()
  const shared = new Set<number>()
  for (const [, digits] of sql.matchAll(/\$([0-9]+)/g)) {
    const number = Number(digits)
    ;(seen.has(number) ? shared : seen).add(number)
  }
  return shared
}
