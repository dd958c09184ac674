// Seen to fail when `entriesOf` takes every list that is deep enough for the target list.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { originsIn } from './view-origins.ts'

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
