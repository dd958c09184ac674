import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { TargetCatalog } from './catalog.ts'
import { copyOut } from './copy-out.ts'
import { loadStatements } from './parser.ts'

before(loadStatements)

const CATALOG: TargetCatalog = {
  searchPath: ['shop'],
  relations: [
    {
      kind: 'Table',
      oid: 20_001,
      schema: 'shop',
      name: 'goods',
      columns: [
        { attnum: 1, name: 'id', typeOid: 23 },
        { attnum: 2, name: 'ean', typeOid: 20 },
        { attnum: 3, name: 'name', typeOid: 25 },
      ],
      dependsOn: [],
    },
  ],
  routines: [],
}

/** The format, the header and the types of the columns; null where they are not known. */
const told = (sql: string): string | null => {
  const found = copyOut(sql, CATALOG)
  if (found === null) return null
  const { format, header, columns } = found
  return `${format} ${header} ${columns.map(({ name, typeOid }) => `${name}:${typeOid}`).join()}`
}

test('the columns of a COPY TO STDOUT are known, with their types, where its text says them', () => {
  const all = 'id:23,ean:20,name:25'
  for (const [sql, expected] of [
    ['copy goods to stdout', `text false ${all}`],
    ['copy shop.goods (ean, name) to stdout', 'text false ean:20,name:25'],
    ['copy goods to stdout (header)', `text true ${all}`],
    [`copy goods to stdout (header 'off', format text)`, `text false ${all}`],
    ['copy goods to stdout (header 0)', `text false ${all}`],
    ['copy goods to stdout with csv header', `csv true ${all}`],
    ['copy goods to stdout (format csv, force_quote *)', `csv false ${all}`],
    [
      `copy (select ean, name as title, g.id, upper(name), 1 from goods g) to stdout`,
      'text false ean:20,title:25,id:23,:25,:25',
    ],
    // A name that may be of something else counts as text.
    [`copy (select ean from goods, (select 'x' as ean) x) to stdout`, 'text false :25'],
    [`copy (select * from goods where id > 1) to stdout`, `text false ${all}`],
    [`copy (select *, 1 from goods) to stdout`, null],
    [`copy (select * from goods, goods g) to stdout`, null],
    [`copy (with goods as (select '1' as a) select * from goods) to stdout`, null],
    [`copy (select ean from goods union select 'x') to stdout`, null],
    [`copy (delete from goods returning ean) to stdout`, null],
    ['copy elsewhere to stdout', null],
    ['copy goods from stdin', null],
    [`copy goods to '/tmp/x'`, null],
    [`copy goods to program 'x'`, null],
    ['copy goods to stdout (format binary)', null],
    [`copy goods to stdout (delimiter '|')`, null],
    [`copy goods to stdout (null '4')`, null],
    [`copy goods to stdout (encoding 'latin1')`, null],
    ['copy goods to stdout; select 1', null],
    ['select 1', null],
  ] as const)
    assert.equal(told(sql), expected, sql)
})
