import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { ROOT } from './paths.ts'

/** Tests, files that only tests use, and generated files. */
const NO_SOURCE =
  /(\.(test|contract|captures|fixture)|under-test)\.ts$|\/generated\/|^libs\/testing\/|\/in-memory\.ts$/

/**
 * Purpose: what a peer or time fills has a bound with a name. Method: a Map, a Set or an array that outlives the call that
 * made it says its bound in a comment above it or behind it: `bound: NAME_MAX`, a constant of the sources; `bound: one per …`
 * of something that is itself bound; `bound: as long as one …`, for the work of one call. It outlives its call when it is
 * made outside of functions and changed there or in one, begins empty as a property of an object, or is changed by a function that is
 * written inside of the one that made it and does not run at once (`map`, `forEach`). Known limits, exercised by a test:
 * whether the comment is true, and what is made here and kept by a function of another file.
 */
const sources = globSync('{libs,services}/*/src/**/*.ts', { cwd: ROOT })
  .filter((path) => !NO_SOURCE.test(path))
  .sort()
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
const constants = new Set(
  sources.flatMap(({ text }) =>
    [...text.matchAll(/\b(?:const ([A-Z]\w*_MAX)\b|(CS_\w+_MAX):)/g)].map(
      ([, name, knob]) => name ?? knob,
    ),
  ),
)

test('every collection that outlives the call that made it says its bound', () => {
  assert.ok(sources.length > 300)
  assert.deepEqual(
    sources.flatMap(({ path, text }) =>
      unboundIn(text, constants).map((each) => `${path}:${each}`),
    ),
    [],
  )
})

/** Seen to fail when only what stands outside of functions is looked at. */
const UNBOUND: Readonly<Record<string, string>> = {
  'outside of functions':
    'const known = new Map<string, number>()\nexport const keep = (a) => known.set(a, 1)',
  'changed by what a factory returns':
    'export function newCache() {\n  const known = new Map()\n  return { keep: (a) => known.set(a, 1) }\n}',
  'changed by a function inside of the factory':
    'async function serve() {\n  const seen = new Set()\n  function take(a) {\n    seen.add(a)\n  }\n  return take\n}',
  'an array that is filled':
    'function serve() {\n  const waiting: Job[] = []\n  return { ask: (job) => waiting.push(job) }\n}',
  'an array that is put in the place of another':
    'function serve() {\n  let all: Job[] = []\n  return { ask: (job) => void (all = [...all, job]) }\n}',
  'handed on by a function inside of the factory':
    'function serve() {\n  const leases: Leases = new Map()\n  const hear = (one) => seen(leases, one)\n  return hear\n}',
  'the state of something': 'export const newState = () => ({\n  live: new Map(),\n})',
  'changed amidst a callback that runs at once':
    'function serve(all) {\n  const live = new Set()\n  all.forEach((one) => one.once("open", () => live.add(one)))\n}',
  'with the name of no constant': '// bound: NOTHING_MAX\nconst known = new Map()\nknown.set(1, 1)',
  'with a comment that says no bound':
    '// those that are known\nconst known = new Map()\nknown.set(1, 1)',
  'below the bound of another':
    'const a = new Map() // bound: THINGS_MAX\nconst b = new Map()\nfill(a, b)',
}

test('a collection that outlives its call without a bound is found', () => {
  for (const [what, text] of Object.entries(UNBOUND))
    assert.equal(unboundIn(text, new Set(['THINGS_MAX'])).length, 1, what)
})

const FINE: Readonly<Record<string, string>> = {
  'a constant of the sources':
    '/** All. */\n// bound: THINGS_MAX; the oldest goes\nconst known = new Map()\nknown.set(1, 1)',
  'behind it': 'const newState = () => ({\n  live: new Map(), // bound: one per session\n})',
  'the work of a call': '// bound: as long as one statement\nconst found = new Set()\nfill(found)',
  'what cannot be changed': "const NAMES: ReadonlySet<string> = new Set(['a'])",
  'what ends with the call':
    'function count(all) {\n  const found = new Map()\n  all.forEach((one) => found.set(one, 1))\n  return found.size\n}',
  'what is changed by the function itself':
    'function f(a) {\n  const all: A[] = []\n  all.push(a)\n  return all\n}',
  'known limit: kept by another':
    'function f(server) {\n  const all = new Map()\n  server.keep(all)\n}',
}

test('a collection with a bound, or that ends with its call, is left alone', () => {
  for (const [what, text] of Object.entries(FINE))
    assert.deepEqual(unboundIn(text, new Set(['THINGS_MAX'])), [], what)
})

/** The lines of the collections without a bound, each with its text. */
function unboundIn(text: string, names: ReadonlySet<string | undefined>): string[] {
  const source = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true)
  const lines = text.split('\n')
  const found = new Set<number>()
  visit(source)
  return [...found].map((line) => `${line + 1}: ${lines[line]?.trim()}`)

  function visit(node: ts.Node): void {
    if (isKept(node, source)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
      if (!isBound(line)) found.add(line)
    }
    ts.forEachChild(node, visit)
  }

  function isBound(line: number): boolean {
    const above: string[] = []
    for (let at = line - 1; /^\s*(\/\/|\/?\*)/.test(lines[at] ?? ''); at--)
      above.push(lines[at] ?? '')
    const said = /\bbound: (?:(\w+_MAX)|one per \w|as long as one \w)/.exec(
      [...above, lines[line]?.split('//').slice(1).join('//')].join('\n'),
    )
    return said !== null && (said[1] === undefined || names.has(said[1]))
  }
}

function isKept(node: ts.Node, source: ts.SourceFile): boolean {
  if (ts.isPropertyAssignment(node))
    return isCollection(node.initializer) && isEmpty(node.initializer)
  if (!ts.isVariableDeclaration(node) || node.initializer === undefined) return false
  const isList = ts.isArrayLiteralExpression(node.initializer)
  if (!isCollection(node.initializer) && !isList) return false
  if (/^(Readonly|readonly )/.test(node.type?.getText(source) ?? '') && isConstant(node))
    return false
  const home = functionAround(node)
  const name = node.name.getText(source)
  let isLong = false
  const look = (one: ts.Node): void => {
    const isUse = isChange(one, name) || (!isList && isHandedOn(one, name))
    if (isUse && (home === null || runsLater(one, home))) isLong = true
    ts.forEachChild(one, look)
  }
  ts.forEachChild(home ?? source, look)
  return isLong
}

const isConstant = ({ parent }: ts.VariableDeclaration): boolean =>
  (parent.flags & ts.NodeFlags.Const) !== 0

const isCollection = (node: ts.Node): node is ts.NewExpression =>
  ts.isNewExpression(node) && /^(Map|Set)$/.test(node.expression.getText())

const isEmpty = (node: ts.NewExpression): boolean => (node.arguments ?? []).length === 0

/** True if a node calls a method that lets the collection grow, or assigns another value to its name. */
function isChange(node: ts.Node, name: string): boolean {
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression))
    return (
      /^(set|add|push|unshift)$/.test(node.expression.name.text) &&
      node.expression.expression.getText() === name
    )
  return (
    ts.isBinaryExpression(node) &&
    node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
    node.left.getText() === name
  )
}

const isHandedOn = (node: ts.Node, name: string): boolean =>
  ts.isCallExpression(node) && node.arguments.some((one) => one.getText() === name)

/** True if it stands in a function of its own inside of `home`, which does not run at once. */
function runsLater(node: ts.Node, home: ts.Node): boolean {
  for (let at = functionAround(node); at !== null && at !== home; at = functionAround(at))
    if (!runsAtOnce(at)) return true
  return false
}

function runsAtOnce(node: ts.Node): boolean {
  const call = node.parent
  return (
    ts.isCallExpression(call) &&
    ts.isPropertyAccessExpression(call.expression) &&
    AT_ONCE.test(call.expression.name.text)
  )
}

function functionAround(node: ts.Node): ts.Node | null {
  for (let at = node.parent; at !== undefined; at = at.parent) if (ts.isFunctionLike(at)) return at
  return null
}

const AT_ONCE = /^(map|forEach|filter|flatMap|some|every|reduce|find\w*|sort|toSorted|from)$/
