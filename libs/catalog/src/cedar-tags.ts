/** The tags that the conditions of a policy name: every text that they compare with the attribute `tags`. */
export function tagsIn(conditions: unknown): readonly string[] {
  const found = new Set<string>()
  visit(conditions, found)
  return [...found]
}

/** An operator with `.tags` on one side has names of tags on the other. */
function visit(node: unknown, found: Set<string>): void {
  if (typeof node !== 'object' || node === null) return
  if (Array.isArray(node)) return node.forEach((each) => visit(each, found))
  for (const [operator, operands] of Object.entries(node)) {
    if (
      operator !== '.' &&
      operator !== 'has' &&
      isObject(operands) &&
      Object.values(operands).some(isTags)
    )
      literals(operands, found)
    visit(operands, found)
  }
}

function literals(node: unknown, found: Set<string>): void {
  if (typeof node === 'string') return void found.add(node)
  if (Array.isArray(node)) return node.forEach((each) => literals(each, found))
  if (!isObject(node) || isTags(node)) return
  for (const [key, value] of Object.entries(node)) {
    if (key === 'Value' || key === 'Set' || key === 'left' || key === 'right')
      literals(value, found)
  }
}

const isTags = (node: unknown): boolean =>
  isObject(node) && isObject(node['.']) && node['.']['attr'] === 'tags'

const isObject = (node: unknown): node is Record<string, unknown> =>
  typeof node === 'object' && node !== null && !Array.isArray(node)
