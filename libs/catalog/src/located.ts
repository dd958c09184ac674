import { type Document, isMap, isNode, isScalar } from 'yaml'
import { z } from 'zod'

type Path = readonly PropertyKey[]
type Issue = z.core.$ZodIssue

/** The offset in the text of the node at a path: of its key where it has one; if missing, of the nearest around it. */
export function located(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => (isScalar(key) ? key.value : key) === last)
      if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0] ?? 0
    }
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node)) return node.range?.[0] ?? 0
  }
  return document.contents?.range?.[0] ?? 0
}

/** The message about an issue, in the words of the catalog: its place, the mistake, and the allowed values. */
export function messageOfIssue(issue: Issue): string {
  const where = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
  if (isMissing) return `${where}is missing; it must be ${article(issue.expected)}`
  if (issue.code === 'invalid_type') return `${where}must be ${article(issue.expected)}`
  if (issue.code === 'invalid_value')
    return `${where}allowed: ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_format') return `${where}must be ${issue.message}`
  return `${where}${issue.message}`
}

/** The fields that an object may have at this place. */
export function allowedAt(schema: z.ZodType, path: Path): string[] {
  let current: unknown = schema
  for (const step of [...path, null]) {
    current = unwrapped(current)
    if (step === null) break
    if (current instanceof z.ZodObject) current = current.shape[String(step)]
    else if (current instanceof z.ZodArray) current = current.element
    else return []
  }
  if (current instanceof z.ZodObject) return Object.keys(current.shape)
  if (current instanceof z.ZodRecord && current.keyType instanceof z.ZodEnum)
    return current.keyType.options.map(String)
  return []
}

/** The schema behind a default or what else wraps it. */
function unwrapped(schema: unknown): unknown {
  let current = schema
  while (
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault ||
    current instanceof z.ZodOptional ||
    current instanceof z.ZodNullable ||
    current instanceof z.ZodReadonly
  )
    current = current.unwrap()
  return current
}

const article = (type: string): string =>
  type === 'array' ? 'a list' : type === 'object' ? 'a map' : `a ${type}`
