import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CopyFormat, copyMask, type CopyOptions, maskCopyChunk, maskCopyEnd } from './copy.ts'
import { DETECTORS } from './detect.ts'
import type { MaskingPlan } from './plan.ts'

const KEY = Buffer.alloc(32, 7)
const PLAN: MaskingPlan = {
  columns: [{ tableOid: 7, attnum: 2, tag: 'email', method: 'Redact' }],
  untagged: 'Pass',
  tainted: 'Redact',
  detectors: DETECTORS.map((name) => ({ name, method: 'Redact' })),
  passwordLike: 'Redact',
  relations: [],
}
const TEXT: CopyFormat = {
  kind: 'text',
  delimiter: '\t',
  quote: '"',
  escape: '"',
  nullString: '\\N',
  header: false,
}
const CSV: CopyFormat = {
  kind: 'csv',
  delimiter: ',',
  quote: '"',
  escape: '"',
  nullString: '',
  header: true,
}
const column = (columnAttribute: number, name: string) =>
  ({ name, tableOid: 7, columnAttribute, typeOid: 25, format: 'text' }) as const
const COLUMNS = [column(1, 'id'), column(2, 'email'), column(3, 'note')]

const UNKNOWN: CopyOptions = { binary: false, columnCount: 3, tainted: false, columns: null }
const KNOWN: CopyOptions = { ...UNKNOWN, columns: COLUMNS, format: TEXT }

const CASES: readonly [string, CopyOptions, string, string][] = [
  [
    'text: a tagged field is masked, NULL stays NULL',
    KNOWN,
    '1\tAna\tx\n2\t\\N\ty\n',
    '1\t[masked]\tx\n2\t\\N\ty\n',
  ],
  [
    'text: an escaped tab or newline is part of its field',
    KNOWN,
    '1\tA\\tn\\na\tx\\ty\n',
    '1\t[masked]\tx\\ty\n',
  ],
  [
    'text: a detector looks behind the escapes',
    KNOWN,
    '1\ta\tx\\nsk_live_abcdefghij0123\n',
    '1\t[masked]\tx\\n[masked]\n',
  ],
  [
    'text: a line of another width is masked whole',
    KNOWN,
    '1\tAna\n',
    '[masked]\t[masked]\t[masked]\n',
  ],
  ['text: the last line needs no end', KNOWN, '1\tAna\tx', '1\t[masked]\tx'],
  [
    'csv: the header passes and a quoted newline is part of its field',
    { ...KNOWN, format: CSV },
    'id,email,note\n1,"A\n""n""a,",x\n2,,\n',
    'id,email,note\n1,"[masked]",x\n2,,\n',
  ],
  [
    'unknown: detectors look at the line',
    UNKNOWN,
    '1,ana@shop.example,x\n2\tgreen\n',
    '1,[masked],x\n2\tgreen\n',
  ],
  [
    'unknown: detectors look behind the escapes of the text format',
    UNKNOWN,
    'a\\nsk_live_abcdefghij0123\tb\n',
    'a\\n[masked]\tb\n',
  ],
  [
    'unknown: bytea in hex is looked into',
    UNKNOWN,
    `1\t\\\\x${Buffer.from('ana@shop.example').toString('hex')}\n`,
    '1\t\\\\[masked]\n',
  ],
  [
    'unknown: a private key over several lines goes',
    UNKNOWN,
    '1,"-----BEGIN PRIVATE KEY-----\nMIIBVg\n-----END PRIVATE KEY-----",x\ny\n',
    '1,"[masked]\n[masked]\n[masked]",x\ny\n',
  ],
  [
    'unknown and tainted: everything goes',
    { ...UNKNOWN, tainted: true },
    '1\tx\n\\N\n',
    '[masked]\t[masked]\t[masked]\n[masked]\t[masked]\t[masked]\n',
  ],
  [
    'columns without a format: everything goes',
    { ...KNOWN, format: null },
    '1\tx\ty\n',
    '[masked]\t[masked]\t[masked]\n',
  ],
]

for (const [name, options, input, expected] of CASES) {
  test(name, () => {
    assert.equal(run(PLAN, options, [Buffer.from(input)]).toString(), expected)
  })
}

test('a copy split anywhere is masked in the same way', () => {
  for (const [, options, input, expected] of CASES) {
    const bytes = Buffer.from(input)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
        assert.equal(run(PLAN, options, pieces(bytes, cuts)).toString(), expected)
      }),
      { numRuns: 30 },
    )
  }
})

test('a row that is too large is masked whole, however it is split, and the next one is as usual', () => {
  const bytes = Buffer.from(`${'x'.repeat(40)}\nb\n`)
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const out = run(PLAN, { ...UNKNOWN, columnCount: 1 }, pieces(bytes, cuts), 32)
      assert.equal(out.toString(), '[masked]\nb\n')
    }),
  )
})

test('binary rows are masked by column, or searched where nobody knows the columns', () => {
  const rows = [
    [Buffer.from('1'), Buffer.from('Ana'), Buffer.from('to ana@shop.example')],
    [null, null, Buffer.from('x')],
  ]
  const bytes = binary(rows)
  for (const [options, expected] of [
    [{ ...KNOWN, binary: true }, [[rows[0]?.[0], '[masked]', 'to [masked]'], rows[1]]],
    [{ ...UNKNOWN, binary: true }, [[rows[0]?.[0], 'Ana', null], rows[1]]],
    [
      { ...UNKNOWN, binary: true, tainted: true },
      [
        [null, null, null],
        [null, null, null],
      ],
    ],
  ] as const) {
    const cells = expected.map((row) =>
      (row ?? []).map((cell) => (typeof cell === 'string' ? Buffer.from(cell) : (cell ?? null))),
    )
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
        assert.deepEqual(run(PLAN, options, pieces(bytes, cuts)), binary(cells))
      }),
      { numRuns: 30 },
    )
  }
})

test('the header of a binary copy comes in one message with what follows it, each row in its own', () => {
  const options = { ...UNKNOWN, binary: true }
  const cells = [[Buffer.from('1')], [Buffer.from('2')]]
  const whole = binary(cells)
  const header = whole.subarray(0, 19)
  const mask = copyMask(PLAN, options, KEY)
  // As in psycopg: the header alone says nothing yet.
  assert.deepEqual(maskCopyChunk(mask, header), [])
  const messages = maskCopyChunk(mask, whole.subarray(19))
  assert.equal(messages.length, 3)
  assert.deepEqual(messages[0]?.subarray(0, 19), header)
  assert.deepEqual(Buffer.concat(messages), whole)
  const empty = copyMask(PLAN, options, KEY)
  assert.deepEqual(maskCopyChunk(empty, binary([])), [binary([])])
})

test('a binary copy that is malformed, too large or cut off ends with a trailer and nothing of the rest', () => {
  const options = { ...UNKNOWN, binary: true }
  const whole = binary([[Buffer.from('secret')]])
  assert.deepEqual(run(PLAN, options, [Buffer.from('PGCOPX\nsecret')]), TRAILER)
  assert.deepEqual(
    run(PLAN, options, [whole.subarray(0, -6)]),
    Buffer.concat([whole.subarray(0, 19), TRAILER]),
  )
  assert.deepEqual(run(PLAN, options, [whole], 8), Buffer.concat([whole.subarray(0, 19), TRAILER]))
})

test('random bytes never throw', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.constantFrom(TEXT, CSV, null),
      fc.boolean(),
      fc.array(fc.uint8Array({ maxLength: 100 })),
      (isBinary, format, isKnown, chunks) => {
        const columns = isKnown ? COLUMNS : null
        run(
          PLAN,
          { ...UNKNOWN, binary: isBinary, columns, format },
          chunks.map((chunk) => Buffer.from(chunk)),
          64,
        )
      },
    ),
  )
})

test('a canary does not come out of a copy in any encoding, wherever it is cut', () => {
  const canary = Buffer.from('canary.7f3a@shop.example')
  const forms = [
    canary,
    Buffer.from(canary.toString('base64')),
    Buffer.from(`\\\\x${canary.toString('hex')}`),
  ]
  fc.assert(
    fc.property(fc.constantFrom(...forms), fc.array(fc.nat(80)), (form, cuts) => {
      const line = Buffer.concat([Buffer.from('1\t'), form, Buffer.from('\tx\n')])
      for (const options of [UNKNOWN, KNOWN]) {
        const out = run(PLAN, options, pieces(line, cuts))
        for (const each of [...forms, Buffer.from(canary.toString('hex'))])
          assert.ok(!out.includes(each))
      }
    }),
  )
})

function run(
  plan: MaskingPlan,
  options: CopyOptions,
  chunks: readonly Buffer[],
  rowBytesMax?: number,
): Buffer {
  const mask = copyMask(plan, options, KEY, rowBytesMax)
  const out = chunks.flatMap((chunk) => maskCopyChunk(mask, chunk))
  return Buffer.concat([...out, ...maskCopyEnd(mask)])
}

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.filter((cut) => cut <= bytes.length).sort((a, b) => a - b), bytes.length]
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

function binary(rows: readonly (readonly (Buffer | null)[])[]): Buffer {
  const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)])
  const parts = rows.flatMap((row) => [
    int16(row.length),
    ...row.flatMap((cell) => [int32(cell?.length ?? -1), cell ?? Buffer.alloc(0)]),
  ])
  return Buffer.concat([header, ...parts, TRAILER])
}

const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255])
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value)])
const TRAILER = Buffer.from([0xff, 0xff])
