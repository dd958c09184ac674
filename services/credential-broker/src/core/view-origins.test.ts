// Seen to fail when `entriesOf` takes every list that is deep enough for the target list.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functionsIn, originsIn } from './view-origins.ts'

const entry = (resno: number, table: number, column: number, node = '{VAR :varno 1}'): string =>
  `{TARGETENTRY :expr ${node} :resno ${resno} :resname c${resno} :ressortgroupref 0 ` +
  `:resorigtbl ${table} :resorigcol ${column} :resjunk false}`
const rule = (entries: string, before = ''): string =>
  `({QUERY :commandType 1 :cteList <> ${before}:targetList (${entries}) :override 0 :limitCount <>})`

test('a column that a view shows as it is has its origin, what is computed has none', () => {
  const entries = [entry(1, 16387, 2), entry(2, 0, 0), entry(3, 16387, 0), entry(4, 16390, 1)]
  assert.deepEqual(
    [...originsIn(rule(entries.join(' ')))],
    [
      [1, { relationOid: 16387, attnum: 2 }],
      [4, { relationOid: 16390, attnum: 1 }],
    ],
  )
})

test('a column that RETURNING of another rule shows as something else has no origin', () => {
  const view = rule([entry(1, 16387, 1), entry(2, 16387, 2), entry(3, 16387, 3)].join(' '))
  const returning = (entries: string): string =>
    rule(entry(1, 0, 0)).replace(' :limitCount', () => ` :returningList (${entries}) :limitCount`)
  const numbers = (...others: string[]) => [...originsIn(view, others).keys()]
  const same = [entry(1, 16387, 1), entry(2, 16387, 2), entry(3, 16387, 3)].join(' ')
  const swapped = [entry(1, 16387, 1), entry(2, 16387, 3), entry(3, 0, 0)].join(' ')
  assert.deepEqual(numbers(rule(swapped)), [1, 2, 3], 'the list of a write is not shown')
  assert.deepEqual(numbers(returning(same)), [1, 2, 3])
  assert.deepEqual(numbers(returning(same), returning(swapped)), [1])
})

test('what stands in a sub-select or a CTE says nothing about the view', () => {
  const inner = rule(entry(1, 16387, 2)).slice(1, -1)
  const computed = entry(1, 0, 0, `{SUBLINK :subselect ${inner}}`)
  assert.deepEqual([...originsIn(rule(computed, `:cteList ({CTE :ctequery ${inner}}) `))], [])
})

test('names cannot pretend to be of the grammar', () => {
  const name = ' :resno 9 :resorigtbl 7 :targetList ({TARGETENTRY} \\'.replace(/[ (){}\\]/g, '\\$&')
  const entries = entry(1, 16387, 2).replace('c1', () => name)
  assert.deepEqual([...originsIn(rule(entries))], [[1, { relationOid: 16387, attnum: 2 }]])
})

test('what is no rule has no origins', () => {
  for (const text of ['', '<>', '({QUERY :targetList <>})', '((((', '}}})'])
    assert.deepEqual([...originsIn(text)], [], text)
})

test('a rule calls the functions of its calls, operators and aggregates, and none that a name pretends', () => {
  const node =
    '{OPEXPR :opno 98 :opfuncid 67 :args ({FUNCEXPR :funcid 870 :args <>})} {AGGREF :aggfnoid 2147 :x 1} ' +
    '{WINDOWFUNC :winfnoid 3100 :y 1} {CONST :consttype 25} {ALIAS :aliasname a\\ :funcid\\ 7\\ }'
  assert.deepEqual(functionsIn(node), ['67', '870', '2147', '3100'])
})
