import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { requests } from './requests-under-test.ts'
import { forgetRedefined, noNames, type StatementNames } from './statement-names.ts'

test('SQL that names statements makes the names of statements unknown, and only those', () => {
  for (const sql of [
    'DEALLOCATE s',
    'prepare s as select 1',
    ' \n; deallocate all',
    '/*-*/discard all',
  ])
    assert.deepEqual(
      left(sql),
      { statements: [''], portals: sql.includes('discard') ? [''] : ['', 'p'] },
      sql,
    )
})

test('SQL that names cursors makes the names of portals unknown, and only those', () => {
  for (const sql of [
    'close p',
    'declare p cursor for select 1',
    'select 1; close all',
    '--\ndeclare',
  ])
    assert.deepEqual(left(sql), { statements: ['', 's'], portals: [''] }, sql)
})

test('code that nobody looked into, and what is no text, may have redefined everything', () => {
  assert.deepEqual(left('select f()', true), { statements: [''], portals: [''] })
  assert.deepEqual(left(null), { statements: [''], portals: [''] })
})

test('a statement that only holds such a word redefines nothing', () => {
  for (const sql of ["update t set closed = 'prepare'", 'explain declare c cursor for select 1;'])
    assert.deepEqual(left(sql), { statements: ['', 's'], portals: ['', 'p'] }, sql)
})

/** The names that are still trusted after this ran. */
function left(sql: string | null, isOpaque = false): { statements: string[]; portals: string[] } {
  const names = everyName()
  forgetRedefined(names, sql, isOpaque)
  return { statements: [...names.statements.keys()], portals: [...names.portals.keys()] }
}

function everyName(): StatementNames {
  const names = noNames()
  const [parse, bind] = requests(toServer.parse('', 'select 1'), toServer.bind())
  assert.ok(parse?.tag === 'Parse' && bind?.tag === 'Bind')
  for (const name of ['', 's']) names.statements.set(name, parse)
  for (const name of ['', 'p']) names.portals.set(name, { parse, bind })
  return names
}
