// Seen to fail when a chain, or a transaction that begins behind an end, is not looked for, and when a text with ROLLBACK TO
// in it tells its end.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from './parser.ts'
import {
  isEndTold,
  isOfOneSetting,
  setsTransactionMode,
  type TransactionTurn,
  transactionTurn,
} from './next-transaction.ts'

before(loadStatements)

test('a text that only sets the mode of its transaction is known', () => {
  for (const sql of [
    'set transaction isolation level serializable',
    '/* c */ SET TRANSACTION READ ONLY, DEFERRABLE;',
    "set transaction snapshot '00000003-0000001B-1'",
    'set local transaction_isolation = serializable',
    'set transaction isolation level repeatable read; set transaction read only',
    `set transaction read only ${' '.repeat(1_000)}`,
    `/*${'x'.repeat(20_000)}*/ set transaction /*${'x'.repeat(20_000)}*/ read only --${'x'.repeat(20_000)}`,
  ])
    assert.equal(setsTransactionMode(sql), true, sql)
  for (const sql of [
    ...[
      '',
      'select 1',
      'begin isolation level serializable',
      'set transaction read only; select 1',
    ],
    ...[
      'set session characteristics as transaction read only',
      'set work_mem = 1',
      'set transactio',
    ],
    `set transaction read only; select 1 --${'x'.repeat(20_000)}`,
    `set transaction read only ${'/**/'.repeat(2_000)}; select 1`,
    `/*${'x'.repeat(20_000)}*/ selec 1`,
  ])
    assert.equal(setsTransactionMode(sql), false, sql)
  assert.equal(setsTransactionMode(null), false)
})

const TURNS: Readonly<Record<TransactionTurn, readonly string[]>> = {
  None: ['', 'select 1', 'begin', 'begin; select 1', 'rollback to a', 'savepoint a', 'selec 1'],
  Ends: [
    ...['commit', 'end', 'abort', 'rollback', 'commit and no chain', "prepare transaction 'x'"],
    ...['begin; select 1; commit', 'select 1; rollback work;', 'commit; rollback'],
  ],
  GoesOn: ['commit; select 1', 'begin; select 1; commit; select 2; commit', 'abort; set a.b = 1'],
  BeginsAnother: [
    ...[
      'commit and chain',
      'rollback and chain',
      'end work and chain',
      '/* c */ ABORT AND /**/ CHAIN',
    ],
    ...[
      'commit; begin',
      'commit; select 1; start transaction',
      'select 1; commit and chain; commit',
    ],
  ],
}

test('it is known of a text whether anything runs behind the end of its transaction', () => {
  for (const [turn, texts] of Object.entries(TURNS))
    for (const sql of texts) assert.equal(transactionTurn(sql), turn, sql)
  assert.equal(transactionTurn(`select 1 -- ${'x'.repeat(20_000)}`), null)
})

test('a text that rolls back to a savepoint does not tell by its answers where its transaction ends', () => {
  for (const sql of [...TURNS.Ends, ...TURNS.GoesOn, ...TURNS.BeginsAnother]) {
    assert.equal(isEndTold(sql), true, sql)
    for (const back of ['rollback to s', 'ROLLBACK WORK TO SAVEPOINT "commit"', 'abort to s'])
      for (const text of [`${back}; ${sql}`, `${sql}; ${back}`, `select 1; /**/ ${back};; ${sql}`])
        assert.equal(isEndTold(text), false, text)
  }
  for (const sql of TURNS.None) assert.equal(isEndTold(sql), false, sql)
  assert.equal(isEndTold(`commit -- ${'x'.repeat(20_000)}`), false)
})

test('a text of one SHOW, SET or RESET names its setting itself', () => {
  for (const sql of ['show app.x', '/* c */ SET app.x = 1;', 'reset all', 'set local a.b to c'])
    assert.equal(isOfOneSetting(sql), true, sql)
  for (const sql of [
    null,
    '',
    'select current_setting(email) from t',
    'show app.x; select current_setting(email) from t',
    'set constraints all immediate',
    'show',
    `show app.x -- ${'x'.repeat(20_000)}`,
  ])
    assert.equal(isOfOneSetting(sql), false, sql ?? 'null')
})
