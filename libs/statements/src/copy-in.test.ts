import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { copyIn, type CopyIn } from './copy-in.ts'
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
