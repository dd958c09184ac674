// Seen to fail when a Var is looked up in the query that it stands in, whatever its level.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeRowsIn } from './whole-rows.ts'

const table = (oid: number): string =>
  `{RANGETBLENTRY :alias {ALIAS :aliasname v} :eref <> :rtekind 0 :relid ${oid} :inh true :relkind r}`
const other = (kind: number, more = ''): string =>
  `{RANGETBLENTRY :alias <> :rtekind ${kind} ${more}:inFromCl true}`
const row = (varno: number, level = 0): string =>
  `{VAR :varno ${varno} :varattno 0 :vartype 16400 :varnullingrels (b 3) :varlevelsup ${level} :location 7}`
const query = (entries: readonly string[], expr: string): string =>
  `{QUERY :commandType 1 :rtable (${entries.join(' ')}) :targetList ({TARGETENTRY :expr ${expr} :resno 1})}`
const link = (inner: string): string => `{SUBLINK :subselect ${inner}}`

for (const [name, rule, found] of [
  ['no row', query([table(7)], '{VAR :varno 1 :varattno 2 :varlevelsup 0}'), []],
  ['a row', query([table(7), table(8)], row(2)), [8]],
  ['both', query([table(7), table(8)], `{ROWEXPR :args (${row(2)} ${row(1)})}`), [7, 8]],
  ['a row of the outer query', query([table(7)], link(query([table(8)], row(1, 1)))), [7]],
  ['a row of the inner query', query([table(7)], link(query([table(8)], row(1)))), [8]],
  [
    'a lateral sub-select beside its table',
    query([other(1, `:subquery ${query([table(9)], row(2, 1))} `), table(7)], '{CONST}'),
    [7],
  ],
  [
    'the same query after a sub-select',
    query([other(1, `:subquery ${query([table(9)], '{CONST}')} `), table(7)], row(2)),
    [7],
  ],
  ['a row of a sub-select', query([other(1, ':subquery <> '), table(7)], row(1)), []],
  ['a row of a join', query([table(7), table(8), other(2)], row(3)), [7, 8]],
  ['a row of a kind that came later', query([table(7), other(99)], row(2)), [7]],
  ['a row of an entry that is not there', query([table(7)], row(5)), [7]],
  ['a row of a level that is not there', query([table(7)], row(1, 3)), [7]],
  ['a second action', `(${query([table(7)], '{CONST}')} ${query([table(8)], row(1))})`, [8]],
  [
    'a name',
    query([table(7)], `{TARGETENTRY :resname ${row(1).replace(/[ (){}\\]/g, '\\$&')}}`),
    [],
  ],
] as const)
  test(`of rows as a whole a rule uses: ${name}`, () => {
    assert.deepEqual(wholeRowsIn(rule), found)
  })

test('what is no rule uses no rows', () => {
  for (const text of ['', '<>', '}}}}', '{VAR :varno', ' :varattno 0 '])
    assert.deepEqual(wholeRowsIn(text), [], text)
})
