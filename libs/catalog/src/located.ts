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
  if (issue.code === 'invalid_value')
    return `${where}allowed: ${issue.values.map(String).join(', ')}`
  const wanted = wantedBy(issue)
  return wanted.length === 0 ? `${where}${issue.message}` : `${where}must ${alternatives(wanted)}`
}

/** The words for what a value must be or have, in the alternatives that there are; empty where the message of the issue says it. */
function wantedBy(issue: Issue): readonly string[] {
  switch (issue.code) {
    case 'invalid_type':
      return [`be ${article(issue.expected)}`]
    case 'invalid_format':
      return [`be ${issue.message}`]
    case 'invalid_value':
      return issue.values.map((value) => `be ${String(value)}`)
    case 'too_big':
      return [bound(issue.origin, 'at most', issue.maximum)]
    case 'too_small':
      return [bound(issue.origin, 'at least', issue.minimum)]
    case 'invalid_union':
      return issue.errors.flatMap(([first]) => (first === undefined ? [] : wantedBy(first)))
    default:
      return []
  }
}

/** `be 0, 0s or a duration`. */
function alternatives(wanted: readonly string[]): string {
  const all = [...new Set(wanted)].map((each, index) =>
    index === 0 ? each : each.replace(/^be /, ''),
  )
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`
}

function bound(origin: string, side: string, limit: number | bigint): string {
  const plural = Number(limit) === 1 ? '' : 's'
  if (origin === 'string') return `have ${side} ${limit} character${plural}`
  if (origin === 'array') return `have ${side} ${limit} item${plural}`
  return `be ${side} ${limit}`
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

const article = (type: string): string => ARTICLES[type] ?? `a ${type}`

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  object: 'a map',
  record: 'a map',
}
