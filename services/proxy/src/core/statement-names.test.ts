import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { loadStatements } from '@countersign/statements'
import type { LongText } from '@countersign/contracts'
import { requests } from './requests-under-test.ts'
import {
  agelessPortals,
  doubtAll,
  forgetRedefined,
  forgetStatement,
  isAsPrepared,
  learnDescribed,
  learnPortal,
  learnPrepared,
  learnStatement,
  mayRedefine,
  meansOthers,
  noNames,
  readOtherwise,
  type StatementNames,
  type Text,
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

// Seen to fail when `forgetRedefined`, and when `mayRedefine`, judge every long text by its words.
test('of a long text policy tells the names that it redefines, also where a word of it would do', () => {
  const rows = "(1, 'closed', 'the end'), ".repeat(1_000)
  const text = textIn(`insert into t (id, state, prepared_at) values ${rows}(2, '', '')`)
  const after = (statements: string[] | null, portals: string[] | null) => {
    const names = everyName()
    const redefines = { statements, portals, settings: null }
    names.told.set(text.text, { redefines, longText: null })
    const isCut = mayRedefine(names, text)
    forgetRedefined(names, text)
    return [isCut, [...names.statements.keys()].join(), [...names.portals.keys()].join()]
  }
  assert.deepEqual(after([], []), [false, ',s,t', ',p,q'])
  assert.deepEqual(after(['s'], []), [true, ',t', ',p,q'])
  assert.deepEqual(after([], ['q']), [true, ',s,t', ',p'])
  assert.deepEqual(after(null, []), [true, '', ',p,q'])
  assert.deepEqual(after([], null), [true, ',s,t', ''])
  // Before policy has told, or from one that does not tell, a word is enough.
  assert.equal(mayRedefine(everyName(), text), true)
  assert.deepEqual(left(text.sql), { statements: [''], portals: [''] })
  const plain = textIn(`insert into t values ${'(1), '.repeat(5_000)}(2)`)
  assert.equal(mayRedefine(everyName(), plain), false)
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

// Seen to fail when `readOtherwise` keeps what PREPARE named, and when `learnDescribed` does nothing.
test('what PREPARE named is known until something may have given the name another meaning', () => {
  const SETTINGS = '[]'
  const text = 'prepare p (int) as select $1'
  const known = (change: (names: StatementNames) => void, settings = SETTINGS, now = text) => {
    const names = noNames()
    learnPrepared(names, textIn(text), SETTINGS)
    change(names)
    const prepared = names.prepared.get('p')
    return prepared !== undefined && isAsPrepared(prepared, now, settings)
  }
  const [parse] = requests(toServer.parse('p', 'select 2'))
  assert.ok(parse?.tag === 'Parse')
  const after = (sql: string | null) => (names: StatementNames) =>
    forgetRedefined(names, textIn(sql))
  assert.equal(
    known(() => undefined),
    true,
  )
  for (const sql of ['execute p(1)', 'deallocate q', 'select 1', 'prepare q as select 1'])
    assert.equal(known(after(sql)), true, sql)
  for (const sql of ['deallocate p', 'deallocate all', 'discard all', 'execute q', null])
    assert.equal(known(after(sql)), false, String(sql))
  assert.equal(known(doubtAll), false, 'code ran that nobody looked into')
  assert.equal(known(meansOthers), false, 'names came to stand for others')
  assert.equal(known(readOtherwise), false, 'texts came to be read otherwise, and again as before')
  const describedUnder = (reading: string) => (names: StatementNames) =>
    learnDescribed(names, 'p', reading)
  assert.equal(known(describedUnder('0')), true, 'described under what it was prepared under')
  assert.equal(known(describedUnder('0, state 1')), false, 'described behind a change')
  assert.equal(
    known((names) => learnStatement(names, parse)),
    false,
    'Parse of the name',
  )
  assert.equal(
    known((names) => forgetStatement(names, 'p')),
    false,
    'Close of the name',
  )
  assert.equal(
    known(() => undefined, '[{"name":"DateStyle","value":"German"}]'),
    false,
    'other settings',
  )
  assert.equal(
    known(() => undefined, SETTINGS, 'prepare p as delete from t'),
    false,
    'another text at the target',
  )
})

test('no text but one PREPARE is taken for one', () => {
  for (const sql of [
    'prepare p as select 1; deallocate p',
    "select 'prepare p as select 1'",
    null,
  ]) {
    const names = noNames()
    learnPrepared(names, textIn(sql), '')
    assert.equal(names.prepared.size, 0, String(sql))
  }
})

// Seen to fail when `learnPrepared` and `forgetRedefined` look at the text alone.
test('of a long text policy tells whether it is one PREPARE or EXECUTE, and of which name', () => {
  const pad = `/* ${'x'.repeat(20_000)} */`
  const EVERY = { statements: null, portals: null, settings: null }
  const names = everyName()
  const parse = names.statements.get('')
  assert.ok(parse !== undefined)
  const ran = (sql: string, of: Partial<LongText>): string => {
    const text = textIn(sql)
    const longText = {
      turn: 'None' as const,
      endTold: false,
      prepares: null,
      executes: null,
      ...of,
    }
    names.told.set(text.text, { redefines: EVERY, longText })
    forgetRedefined(names, text)
    learnPrepared(names, text, '[]')
    return [...names.statements.keys(), '|', ...names.prepared.keys()].join()
  }
  assert.equal(ran(`prepare r as select 1 ${pad}`, { prepares: 'r' }), ',|,r')
  for (const name of ['s', 't']) names.statements.set(name, parse)
  assert.equal(ran(`execute r ${pad}`, { executes: 'r' }), ',s,t,|,r')
  // It begins like an EXECUTE, and does more.
  assert.equal(ran(`execute r; deallocate all ${pad}`, {}), ',|')
  assert.equal(ran(`prepare r as select 1; deallocate r ${pad}`, {}), ',|')
})

/** The names that are still known after this ran. */
function left(sql: string | null): { statements: string[]; portals: string[] } {
  const names = everyName()
  forgetRedefined(names, textIn(sql))
  return { statements: [...names.statements.keys()], portals: [...names.portals.keys()] }
}

function textIn(sql: string): Text
function textIn(sql: string | null): Text | null
function textIn(sql: string | null): Text | null {
  return sql === null ? null : { text: Buffer.from(sql), sql }
}

function everyName(): StatementNames {
  const names = noNames()
  const [parse, bind] = requests(toServer.parse('', 'select 1'), toServer.bind())
  assert.ok(parse?.tag === 'Parse' && bind?.tag === 'Bind')
  for (const name of ['', 's', 't']) names.statements.set(name, parse)
  for (const name of ['', 'p', 'q']) names.portals.set(name, { parse, bind })
  return names
}
