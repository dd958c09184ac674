import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meantPath, pathIn } from '@countersign/statements'
import { settingOf } from './search-path.ts'

test('PostgreSQL reads the setting as the path that names are decided along, whatever the schemas are called', () => {
  for (const searchPath of [
    [],
    ['public'],
    ['shop', 'public'],
    ['Shop', 'a, b', 'say "hi"', 'pg_catalog'],
  ])
    assert.ok(
      meantPath(pathIn(settingOf(searchPath)), { own: searchPath, others: [], skipsUser: false }),
      searchPath.join(),
    )
})
