import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { test } from 'node:test'
import { ROOT } from './paths.ts'

type Source = { path: string; imports: string[] }
type Layer = 'pure' | 'shell' | 'service' | 'infra' | 'e2e'

const sources: readonly Source[] = globSync('{libs,services,infra,e2e}/**/*.ts', {
  cwd: ROOT,
  exclude: (path) => path.includes('node_modules'),
})
  .sort()
  .map((path) => ({ path, imports: importsOf(readFileSync(join(ROOT, path), 'utf8')) }))

const layers: ReadonlyMap<string, Layer> = new Map(
  globSync(['{libs,services}/*/package.json', 'infra/local/package.json', 'e2e/package.json'], {
    cwd: ROOT,
  }).map((path) => {
    const manifest: { name: string; countersign: { layer: Layer } } = JSON.parse(
      readFileSync(join(ROOT, path), 'utf8'),
    )
    return [manifest.name, manifest.countersign.layer]
  }),
)

test('no service imports another service', () => {
  assert.deepEqual(
    violations(
      (source) => source.path.startsWith('services/'),
      (wanted, source) => {
        const target = wanted.startsWith('.') ? targetOf(source, wanted) : null
        return target === null
          ? layers.get(packageOf(wanted)) === 'service'
          : packageFolder(target) !== packageFolder(source.path)
      },
    ),
    [],
  )
})

test('packages import each other by name, never by path', () => {
  assert.deepEqual(
    violations(
      (source) => !source.path.startsWith('e2e/'),
      (wanted, source) =>
        wanted.startsWith('.') &&
        packageFolder(targetOf(source, wanted)) !== packageFolder(source.path),
    ),
    [],
  )
})

test('the core of a service and the pure libraries import no I/O', () => {
  assert.deepEqual(
    violations(isPure, (wanted, source) => {
      if (wanted.startsWith('node:')) return !PURE_BUILTINS.includes(wanted)
      if (wanted === '@countersign/log/records') return false
      if (!wanted.startsWith('.'))
        return !(
          PURE_PACKAGES.includes(packageOf(wanted)) || layers.get(packageOf(wanted)) === 'pure'
        )
      return source.path.startsWith('services/') && !targetOf(source, wanted).includes('/core/')
    }),
    [],
  )
})

test('libraries import no service, no test infrastructure and no end-to-end test', () => {
  assert.deepEqual(
    violations(
      (source) => source.path.startsWith('libs/') && !isTest(source),
      (wanted) => ['service', 'infra', 'e2e'].includes(layers.get(packageOf(wanted)) ?? ''),
    ),
    [],
  )
})

test('only libs/log knows kafkajs', () => {
  assert.deepEqual(
    violations(
      (source) => !source.path.startsWith('libs/log/'),
      (wanted) => packageOf(wanted) === 'kafkajs',
    ),
    [],
  )
})

test('only tests import the log in memory', () => {
  assert.deepEqual(
    violations(
      (source) => !isTest(source),
      (wanted) => wanted === '@countersign/log/in-memory' || wanted.endsWith('/in-memory.ts'),
    ),
    [],
  )
})

/** Type imports count too: a type of a socket in the core is a socket in the core's language. */
function importsOf(text: string): string[] {
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g,
  )
  return [...found].flatMap(([, named, bare, dynamic]) => named ?? bare ?? dynamic ?? [])
}

function violations(
  applies: (source: Source) => boolean,
  forbids: (wanted: string, source: Source) => boolean,
): string[] {
  return sources
    .filter(applies)
    .flatMap((source) =>
      source.imports
        .filter((wanted) => forbids(wanted, source))
        .map((wanted) => `${source.path} imports ${wanted}`),
    )
}

function isPure(source: Source): boolean {
  if (isTest(source)) return false
  if (source.path.startsWith('services/')) return source.path.includes('/core/')
  if (!/^libs\/[^/]+\/src\//.test(source.path)) return false
  return layers.get(`@countersign/${source.path.split(sep)[1] ?? ''}`) === 'pure'
}

const isTest = ({ path }: Source): boolean =>
  /(\.(test|contract|captures|fixture)|under-test)\.ts$/.test(path) ||
  path.startsWith('libs/testing/')
const packageFolder = (path: string): string => path.split(sep).slice(0, 2).join('/')
const targetOf = (source: Source, wanted: string): string =>
  relative(ROOT, resolve(ROOT, dirname(source.path), wanted))
const packageOf = (wanted: string): string =>
  wanted
    .split('/')
    .slice(0, wanted.startsWith('@') ? 2 : 1)
    .join('/')

/** The pure modules of Node. An assertion is how a pure function reports a broken invariant of ours. */
const PURE_BUILTINS = [
  'node:assert/strict',
  'node:buffer',
  'node:crypto',
  'node:string_decoder',
  'node:util',
]
const PURE_PACKAGES = [
  '@cedar-policy/cedar-wasm',
  'avsc',
  'libpg-query',
  'pg-protocol',
  'yaml',
  'zod',
]
