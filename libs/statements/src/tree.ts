import { NODE_TABLE } from './generated/nodes.ts'

/** A node or a struct of the parse tree. */
export type Tree = { readonly [field: string]: unknown }

/** A node and what it is. */
export type Node = { readonly kind: string; readonly body: Tree }

/** The value as a tree, or null when it is something else. */
export const treeOf = (value: unknown): Tree | null => (isTree(value) ? value : null)

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The field as a tree; empty when there is none. */
export const part = (body: Tree, field: string): Tree => treeOf(body[field]) ?? EMPTY

/** The field as text; empty when there is none. */
export const textOf = (body: Tree, field: string): string => {
  const value = body[field]
  return typeof value === 'string' ? value : ''
}

/** The wrapped node in the field, if any. */
export const nodeAt = (body: Tree, field: string): Node | null => unwrapped(body[field])

/** The wrapped nodes in the list of the field. */
export function nodesAt(body: Tree, field: string): Node[] {
  const value = body[field]
  return Array.isArray(value) ? value.map(unwrapped).filter((node) => node !== null) : []
}

/** The words of a dotted name: a list of String nodes. */
export const wordsAt = (body: Tree, field: string): string[] =>
  nodesAt(body, field).map((node) => textOf(node.body, 'sval'))

/** Every node directly below. Throws a TypeError for a node or field that the closed table of nodes does not name. */
export function children({ kind, body }: Node): Node[] {
  const fields = FIELDS.get(kind)
  if (!fields) throw new TypeError(`unknown node ${kind}`)
  const found: Node[] = []
  for (const field of Object.keys(body)) {
    const type = fields.get(field)
    if (type === undefined) throw new TypeError(`unknown field ${kind}.${field}`)
    const value = body[field]
    if (type === '-') continue
    for (const each of Array.isArray(value) ? value : [value]) {
      const node = type === 'Node' ? unwrapped(each) : concrete(type, each)
      if (node) found.push(node)
    }
  }
  return found
}

/** A constant of the tree as text, or null when the node is not a constant. */
export function constantOf(node: Node | null): string | null {
  if (node?.kind === 'TypeCast')
    return isText(part(node.body, 'typeName')) ? constantOf(nodeAt(node.body, 'arg')) : null
  if (node?.kind === 'String') return textOf(node.body, 'sval')
  if (node?.kind === 'Integer') return String(node.body['ival'] ?? 0)
  if (node?.kind === 'Boolean') return String(node.body['boolval'] === true)
  if (node?.kind !== 'A_Const') return null
  if ('sval' in node.body) return textOf(part(node.body, 'sval'), 'sval')
  if ('ival' in node.body) return String(part(node.body, 'ival')['ival'] ?? 0)
  if ('fval' in node.body) return textOf(part(node.body, 'fval'), 'fval')
  if ('boolval' in node.body) return String(part(node.body, 'boolval')['boolval'] === true)
  return null
}

/** True if a cast leaves a text as it is. */
export const isTextCast = ({ body }: Node): boolean => isText(part(body, 'typeName'))

/** True if values of a type stand for themselves. Other types change them: 'roles'::varchar(4) is 'role'. */
export const isText = (type: Tree): boolean =>
  TEXTS.has(wordsAt(type, 'names').join('.')) && !('arrayBounds' in type) && !('typmods' in type)

const TEXTS: ReadonlySet<string> = new Set([
  ...['text', 'pg_catalog.text', 'varchar', 'pg_catalog.varchar'],
])

function unwrapped(value: unknown): Node | null {
  const tree = treeOf(value)
  if (tree === null) return null
  const kinds = Object.keys(tree)
  const [kind] = kinds
  if (kind === undefined) return null // An empty element of a list, as in DISTINCT without ON.
  if (kinds.length !== 1 || !FIELDS.has(kind)) throw new TypeError(`unknown node ${kinds.join()}`)
  return { kind, body: part(tree, kind) }
}

function concrete(kind: string, value: unknown): Node | null {
  const body = treeOf(value)
  return body === null ? null : { kind, body }
}

const EMPTY: Tree = {}

const FIELDS: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  NODE_TABLE.trim()
    .split('\n')
    .map((line) => {
      const [kind = '', ...fields] = line.split(' ')
      return [
        kind,
        new Map(
          fields.map((field): [string, string] => [
            field.split(':')[0] ?? '',
            field.split(':')[1] ?? '-',
          ]),
        ),
      ]
    }),
)
