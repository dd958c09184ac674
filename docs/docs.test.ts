import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { exampleOf, meaningOf } from '../libs/runtime/src/setting.ts'
import { generatedPages, settingsOfServices } from './generate.ts'

const ROOT = join(import.meta.dirname, '..')

test('the error codes, the flow and the knobs in the docs are those of the code', async () => {
  for (const [path, page] of await generatedPages()) {
    assert.equal(
      readFileSync(join(ROOT, path), 'utf8'),
      page,
      `${path} is stale: node docs/generate.ts`,
    )
  }
})

test('the knobs of every service are among the generated pages', async () => {
  const pages = await generatedPages()
  const services = globSync('services/*/src/config.ts', { cwd: ROOT })
  assert.ok(services.length >= 8)
  for (const config of services) {
    const readme = join(dirname(config), '..', 'README.md')
    assert.match(pages.get(readme) ?? '', /<!-- knobs -->\n\| variable/, readme)
  }
})

test('every setting has a meaning, and every required one an example of what to set', async () => {
  for (const [service, settings] of await settingsOfServices()) {
    for (const [name, setting] of Object.entries(settings)) {
      assert.ok(meaningOf(setting), `${service}: ${name} has no meaning`)
      const isRequired = !z.safeParse(setting, undefined).success
      if (isRequired) assert.notEqual(exampleOf(name, setting), '…', `${service}: ${name}`)
    }
  }
})

test('the glossary has each word once, in order', () => {
  const words = [
    ...readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8').matchAll(/^\*\*([^*]+)\*\*/gm),
  ].map(([, word]) => word ?? '')
  assert.ok(words.length > 20)
  assert.deepEqual(words, [...new Set(words)].toSorted())
})

test('every link between pages leads somewhere', () => {
  const pages = globSync(['*.md', '{docs,infra,e2e,libs,schemas,services}/**/*.md'], {
    cwd: ROOT,
    exclude: (path) => path.includes('node_modules'),
  })
  assert.ok(pages.length > 5)
  for (const page of pages) {
    for (const [, link = ''] of readFileSync(join(ROOT, page), 'utf8').matchAll(
      /\]\(([^)#\s]+)[^)]*\)/g,
    )) {
      if (/^[a-z]+:/.test(link)) continue
      assert.ok(existsSync(join(ROOT, dirname(page), link)), `${page} links to ${link}`)
    }
  }
})

test('the README names only commands that exist', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  )
  const named = [
    ...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/npm (?:run ([\w:-]+)|(test))/g),
  ].map(([, run, test]) => run ?? test ?? '')
  assert.ok(named.length >= 2)
  for (const name of named) assert.ok(name in scripts, `npm run ${name}`)
})

test('every library and every service says what it is for', () => {
  for (const manifest of globSync('{libs,services}/*/package.json', { cwd: ROOT })) {
    const readme = join(dirname(manifest), 'README.md')
    assert.ok(existsSync(join(ROOT, readme)), `there is no ${readme}`)
  }
})
