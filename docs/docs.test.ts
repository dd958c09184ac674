import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { generatedPages } from './generate.ts'

const ROOT = join(import.meta.dirname, '..')

test('the error codes and the flow in the docs are those of the code', async () => {
  for (const [path, page] of await generatedPages()) {
    assert.equal(
      readFileSync(join(ROOT, path), 'utf8'),
      page,
      `${path} is stale: node docs/generate.ts`,
    )
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
  const pages = globSync(['*.md', 'docs/**/*.md', '{libs,services}/*/README.md'], { cwd: ROOT })
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
    ...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(
      /npm (?:run )?((?:test|demo|check|bench|up|down|setup)(?::\w+)?)/g,
    ),
  ]
  assert.ok(named.length >= 2)
  for (const [, name = ''] of named) assert.ok(name in scripts, `npm run ${name}`)
})
