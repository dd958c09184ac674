import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { loadStatements } from '@countersign/statements'
import { requests } from './requests-under-test.ts'
import {
  agelessPortals,
  doubtAll,
  forgetRedefined,
  learnPortal,
  learnStatement,
  noNames,
  type StatementNames,
} from './statement-names.ts'

before(loadStatements)

test('SQL that names statements makes the names that it says unknown, and only those', () => {
  for (const [sql, statements] of [
    ['DEALLOCATE s', ['', 't']],
    ['prepare s as select 1', ['', 't']],
    [' \n; deallocate all', ['']],
    ['deallocate u', ['', 's', 't']],
  ] as const)
    assert.deepEqual(left(sql), { statements, portals: ['', 'p', 'q'] }, sql)
})

test('SQL that names cursors makes the names that it says unknown, and only those', () => {
  for (const [sql, portals] of [
    ['close p', ['', 'q']],
    ['declare p cursor for select 1', ['', 'q']],
    ['select 1; close all', ['']],
  ] as const)
    assert.deepEqual(left(sql), { statements: ['', 's', 't'], portals }, sql)
})

test('what is no text, and what discards all, may have redefined everything', () => {
  for (const sql of [null, '/*-*/discard all'])
    assert.deepEqual(left(sql), { statements: [''], portals: [''] })
})

test('a statement that only holds such a word redefines nothing', () => {
  for (const sql of ["update t set closed = 'prepare'", '-- close all\nselect prepared_at from t'])
    assert.deepEqual(left(sql), { statements: ['', 's', 't'], portals: ['', 'p', 'q'] }, sql)
})

test('code that nobody looked into forgets nothing and puts every name in doubt that SQL can write', () => {
  const names = everyName()
  doubtAll(names)
  assert.deepEqual([...names.statements.keys()], ['', 's', 't'])
  assert.deepEqual([...names.doubtfulStatements], ['s', 't'])
  assert.deepEqual([...names.doubtfulPortals], ['p', 'q'])
})

test('a name that is made anew is in doubt no more, and its age is not known', () => {
  const names = everyName()
  names.portalAges.set('p', 'then')
  doubtAll(names)
  const [parse, bind] = requests(
    toServer.parse('s', 'select 2'),
    toServer.bind({ portal: 'p', statement: 's' }),
  )
  assert.ok(parse?.tag === 'Parse' && bind?.tag === 'Bind')
  learnStatement(names, parse)
  learnPortal(names, bind)
  assert.deepEqual([...names.doubtfulStatements, ...names.doubtfulPortals], ['t', 'q'])
  assert.deepEqual(agelessPortals(names), ['q', 'p'])
})

/** The names that are still known after this ran. */
function left(sql: string | null): { statements: string[]; portals: string[] } {
  const names = everyName()
  forgetRedefined(names, sql)
  return { statements: [...names.statements.keys()], portals: [...names.portals.keys()] }
}

function everyName(): StatementNames {
  const names = noNames()
  const [parse, bind] = requests(toServer.parse('', 'select 1'), toServer.bind())
  assert.ok(parse?.tag === 'Parse' && bind?.tag === 'Bind')
  for (const name of ['', 's', 't']) names.statements.set(name, parse)
  for (const name of ['', 'p', 'q']) names.portals.set(name, { parse, bind })
  return names
}
