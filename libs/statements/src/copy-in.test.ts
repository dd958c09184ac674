import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { copyIn, copyInHint, type CopyIn } from './copy-in.ts'
import { loadStatements, LOOP_BYTES_MAX } from './parser.ts'

before(loadStatements)

const EXAMPLES: Readonly<Record<string, CopyIn | null>> = {
  'copy orders from stdin': { relation: ['orders'], columnCount: null, format: 'text' },
  'COPY shop."Or.ders" (id, note) FROM STDIN': {
    relation: ['shop', 'Or.ders'],
    columnCount: 2,
    format: 'text',
  },
  'copy t from stdin (format csv, header)': {
    relation: ['t'],
    columnCount: null,
    format: 'text',
  },
  "copy t from stdin with (delimiter 'binary')": {
    relation: ['t'],
    columnCount: null,
    format: 'text',
  },
  'copy t from stdin (format binary)': { relation: ['t'], columnCount: null, format: 'binary' },
  "copy t from stdin (format 'binary')": { relation: ['t'], columnCount: null, format: 'binary' },
  'copy binary t (a) from stdin': { relation: ['t'], columnCount: 1, format: 'binary' },
  'copy t from stdin with binary': { relation: ['t'], columnCount: null, format: 'binary' },
  ' /* x */ copy t from stdin where a > 1;': {
    relation: ['t'],
    columnCount: null,
    format: 'text',
  },
  "copy t from stdin (encoding 'utf8')": { relation: ['t'], columnCount: null, format: 'text' },
  "copy t from stdin (format csv, ENCODING 'UTF-8')": {
    relation: ['t'],
    columnCount: null,
    format: 'text',
  },
  "copy t from stdin with encoding 'unicode'": {
    relation: ['t'],
    columnCount: null,
    format: 'text',
  },
  "copy t from stdin (encoding 'latin1')": null,
  'copy t from stdin (encoding sjis)': null,
  "copy t from stdin with encoding 'WIN1252'": null,
  'copy t from stdin (encoding)': null,
  'copy t from stdin ("Encoding" \'latin1\')': null,
  'copy t to stdout': null,
  "copy t from '/etc/passwd'": null,
  "copy t from program 'id'": null,
  'copy t from stdin; select 1': null,
  'select 1': null,
  'copy t from': null,
  '': null,
}

test('a text that is one COPY FROM STDIN says what its CopyInResponse depends on', () => {
  for (const [sql, expected] of Object.entries(EXAMPLES))
    assert.deepEqual(copyIn(sql), expected, sql)
  assert.equal(copyIn(null), null)
  assert.equal(copyIn(`copy t from stdin --${'x'.repeat(LOOP_BYTES_MAX)}`), null)
})

test('a COPY whose data cannot be asked for says what of its text is in the way', () => {
  assert.match(copyInHint("copy t from stdin (encoding 'latin1')") ?? '', /without the option/)
  const long = `copy t from stdin --${'x'.repeat(LOOP_BYTES_MAX)}`
  assert.match(copyInHint(long) ?? '', new RegExp(`${LOOP_BYTES_MAX} .* ${long.length}`))
  for (const sql of [null, '', 'copy t from stdin', 'copy t from stdin; select 1'])
    assert.equal(copyInHint(sql), null)
})
