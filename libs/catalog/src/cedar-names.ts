import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'

/** The names in a policy that only the catalog or PostgreSQL can know; Cedar takes any text for them. */
export type PolicyNames = {
  readonly environments: readonly string[]
  /** Connection profiles. */
  readonly targets: readonly string[]
  /** Identifiers of tables, as JSON. */
  readonly tables: readonly string[]
  readonly tags: readonly string[]
  readonly settings: readonly string[]
  readonly raisedRoles: readonly string[]
}

/** The names that a policy has in its head and its conditions. */
export function namesIn(policy: PolicyJson): PolicyNames {
  const { resource, conditions } = policy
  return {
    environments: entitiesIn([resource, conditions], 'Countersign::Environment'),
    targets: entitiesIn([resource, conditions], 'Countersign::Target'),
    tables: entitiesIn([resource, conditions], 'Countersign::Table'),
    tags: textsComparedWith(conditions, 'tags'),
    settings: textsComparedWith(conditions, 'settings'),
    raisedRoles: textsComparedWith(conditions, 'raisedRoles'),
  }
}

function entitiesIn(node: unknown, type: string): readonly string[] {
  // bound: one per name in a policy
  const found = new Set<string>()
  const visit = (each: unknown): void => {
    if (Array.isArray(each)) return each.forEach(visit)
    if (!isObject(each)) return
    if (each['type'] === type && typeof each['id'] === 'string') found.add(each['id'])
    Object.values(each).forEach(visit)
  }
  visit(node)
  return [...found]
}

/** The texts that conditions compare with an attribute: an operator with it on one side has them on the other. */
function textsComparedWith(conditions: unknown, attribute: string): readonly string[] {
  // bound: one per name in a policy
  const found = new Set<string>()
  const isIt = (node: unknown): boolean =>
    isObject(node) && isObject(node['.']) && node['.']['attr'] === attribute
  const literals = (node: unknown): void => {
    if (typeof node === 'string') return void found.add(node)
    if (Array.isArray(node)) return node.forEach(literals)
    if (!isObject(node) || isIt(node)) return
    for (const [key, value] of Object.entries(node))
      if (key === 'Value' || key === 'Set' || key === 'left' || key === 'right') literals(value)
  }
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (!isObject(node)) return
    for (const [operator, operands] of Object.entries(node)) {
      const compares = operator !== '.' && operator !== 'has' && isObject(operands)
      if (compares && Object.values(operands).some(isIt)) literals(operands)
      visit(operands)
    }
  }
  visit(conditions)
  return [...found]
}

export const isObject = (node: unknown): node is Record<string, unknown> =>
  typeof node === 'object' && node !== null && !Array.isArray(node)
