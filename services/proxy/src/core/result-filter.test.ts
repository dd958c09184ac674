import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_RULES } from '@countersign/catalog'
import type { MaskingPlanned } from '@countersign/contracts'
import { Instant, SessionId } from '@countersign/kernel'
import {
  cellsOf,
  type Column,
  errorFieldsOf,
  parameterStatusOf,
  receiveServer,
  type ServerFrame,
  serverSide,
  toClient,
} from '@countersign/postgres-wire'
import { type AnswerTaint, UNTAINTED } from './answer-taint.ts'
import { NOTHING_OWN, type OwnPlan } from './own-changes.ts'
import { DETECTED_ROW_BYTES_MAX, resultFilter } from './result-filter.ts'

test('a table that the plan does not know is masked whole, and the agent is told why, once', () => {
  const filter = resultFilter(PLAN, KEY)
  const row = (tableOid: number): string[] =>
    frames(filter.row(ROW, [column(tableOid)], UNTAINTED)).map((frame) => {
      const cells = cellsOf(frame)
      return cells.ok ? `${cells.value.map(String).join()}` : frame.tag
    })
  assert.deepEqual(row(20_000), ['gerbil'])
  assert.deepEqual(row(20_001), ['N', '[masked]'])
  assert.deepEqual(row(20_001), ['[masked]'])
  assert.deepEqual(row(20_002), ['N', '[masked]'])
})

test('each notice about masking has the fields for programs and a SQLSTATE of its own', () => {
  const filter = resultFilter({ ...PLAN, detectors: [{ name: 'email', method: 'Redact' }] }, KEY)
  const long = toClient.dataRow([Buffer.alloc(DETECTED_ROW_BYTES_MAX + 1, 'x')])
  const [tooLong] = receiveServer(serverSide(long.length), long)[1]
  if (tooLong?.tag !== 'D') throw new TypeError('no row')
  const told = [
    ...frames(filter.row(ROW, [column(20_001)], UNTAINTED)),
    ...frames(filter.row(tooLong, [column(20_000)], UNTAINTED)),
    ...filter.statementEnds().flatMap(frames),
  ].flatMap((frame) => {
    const fields = frame.tag === 'N' ? errorFieldsOf(frame) : null
    return fields?.ok === true ? [['C', 's', 'n', 'R'].map((key) => fields.value.get(key))] : []
  })
  assert.deepEqual(told, [
    ['00C06', 'countersign', 'CS_TABLE_NOT_PLANNED', PLAN.sessionId],
    ['00C05', 'countersign', 'CS_ROW_TOO_LONG', PLAN.sessionId],
    ['00C04', 'countersign', 'CS_MASKED', PLAN.sessionId],
  ])
})

test('without masking rules the agent is told that there are none, and for which environment', () => {
  const told = (rulesVersion: string): string[] => {
    const plan: MaskingPlanned = { ...PLAN, rulesVersion, untagged: 'Redact' }
    const filter = resultFilter(plan, KEY, 'inventory')
    filter.row(ROW, [column(20_000)], UNTAINTED)
    return filter.statementEnds().flatMap((bytes) =>
      frames(bytes).flatMap((frame) => {
        const fields = errorFieldsOf(frame)
        return fields.ok ? [fields.value.get('M') ?? ''] : []
      }),
    )
  }
  assert.match(told(PLAN.rulesVersion).join(), /^countersign: masked \w+ \(untagged\)$/)
  assert.match(
    told(NO_RULES).join(),
    /^countersign: masked \w+ \(no masking rules for environment inventory: everything is masked\)$/,
  )
})

// Seen to fail when the columns of views in doubt are not taken for computed ones.
test('a column of a view in doubt is masked as what is computed, and no other column', () => {
  const filter = resultFilter(PLAN, KEY)
  const shown = (viewsInDoubt: number[], columns = [column(20_000)]): string => {
    const taint = { ...UNTAINTED, isTainted: true, viewsInDoubt: new Set(viewsInDoubt) }
    const [frame] = frames(filter.row(ROW, columns, taint))
    const cells = frame === undefined ? null : cellsOf(frame)
    return cells?.ok === true ? cells.value.map(String).join() : ''
  }
  assert.deepEqual([shown([]), shown([20_000]), shown([20_001])], ['gerbil', '[masked]', 'gerbil'])
  // Other ones are in doubt later in the same transaction.
  const columns = [column(20_000)]
  assert.deepEqual([shown([20_001], columns), shown([20_000], columns)], ['gerbil', '[masked]'])
})

// Seen to fail when planWith gives the plan as it is, and when the masks of columns are kept without the version of the own plan.
test('a relation of the session itself is masked by its own plan, and without one as a whole', () => {
  const filter = resultFilter(PLAN, KEY)
  const columns = [column(20_001)]
  const shown = (own: OwnPlan): string => {
    const [frame] = frames(filter.bareRow(ROW, columns, { ...UNTAINTED, own }))
    const cells = frame === undefined ? null : cellsOf(frame)
    return cells?.ok === true ? cells.value.map(String).join() : ''
  }
  const relations = [{ oid: 20_001, attnumMax: 1 }]
  const tag = { tableOid: 20_001, attnum: 1, tag: 'email', method: 'Redact' } as const
  assert.equal(shown(NOTHING_OWN), '[masked]')
  assert.equal(shown({ version: '1', relations, columns: [] }), 'gerbil')
  assert.equal(shown({ version: '2', relations, columns: [tag] }), '[masked]')
  assert.equal(shown(NOTHING_OWN), '[masked]')
})

test('of a setting that may hold any text the value is masked, and no other', () => {
  const filter = resultFilter({ ...PLAN, detectors: [{ name: 'email', method: 'Redact' }] }, KEY)
  const told = (name: string, value: string, isTainted: boolean): string[] =>
    frames(toClient.parameterStatus(name, value)).flatMap((frame) =>
      frames(filter.setting(frame, isTainted)).map((masked) => {
        const status = parameterStatusOf(masked)
        return status.ok ? status.value.value : masked.tag
      }),
    )
  assert.deepEqual(told('application_name', 'gerbil', false), ['gerbil'])
  assert.deepEqual(told('application_name', 'gerbil', true), ['[masked]'])
  assert.deepEqual(told('application_name', 'x ana@shop.example', false), ['x [masked]'])
  assert.deepEqual(told('DateStyle', 'ISO, DMY', true), ['ISO, DMY'])
})

test('a statement with rows too long to be searched says so once', () => {
  const filter = resultFilter({ ...PLAN, detectors: [{ name: 'email', method: 'Redact' }] }, KEY)
  const long = toClient.dataRow([Buffer.alloc(DETECTED_ROW_BYTES_MAX + 1, 'x')])
  const [frame] = receiveServer(serverSide(long.length), long)[1]
  if (frame === undefined || frame.tag === 'Violation') return assert.fail()
  const tags = (): string[] =>
    frames(filter.row(frame, [column(20_000)], UNTAINTED)).map(({ tag }) => tag)
  assert.deepEqual([tags(), tags()], [['N', 'D'], ['D']])
  filter.statementEnds()
  assert.deepEqual(tags(), ['N', 'D'])
})

test('a COPY that is masked whole says so, with the reason', () => {
  const filter = resultFilter(PLAN, KEY)
  const [begin, row] = frames(
    Buffer.concat([COPY_OUT, toClient.copyData(Buffer.from('1\tgerbil\n'))]),
  )
  if (begin === undefined || row === undefined) return assert.fail()
  for (const [isTainted, told] of [
    [true, /masked every column of the COPY \(it reads masked columns/],
    [false, /^$/],
  ] as const) {
    filter.copyBegins(begin, { isTainted, copyOut: null })
    filter.copy(row)
    filter.copyEnds()
    assert.match(Buffer.concat(filter.statementEnds()).toString(), told)
  }
})

// Seen to fail when `message` leaves the COPY open: a long row behind it is taken for a line of it, and is gone.
test('a COPY that fails is over', () => {
  const filter = resultFilter(PLAN, KEY)
  const failed = toClient.errorResponse({ severity: 'ERROR', code: '22012', message: 'division' })
  const [begin, line, error] = frames(
    Buffer.concat([COPY_OUT, toClient.copyData(Buffer.from('1\tger')), failed]),
  )
  if (begin === undefined || line === undefined || error === undefined) return assert.fail()
  filter.copyBegins(begin, UNTAINTED)
  filter.copy(line)
  assert.notEqual(filter.copyProgress(), null)
  filter.message(error, false, [])
  assert.equal(filter.copyProgress(), null)
})

// Seen to fail when a COPY that fails tells nothing, and when the columns that are not named are left out.
test('the notice of a statement names some columns and counts the others, also of a COPY that failed', () => {
  const filter = resultFilter({ ...PLAN, detectors: [{ name: 'email', method: 'Redact' }] }, KEY)
  const told = (): string => Buffer.concat(filter.statementEnds()).toString()
  const cells = (count: number): ServerFrame | undefined =>
    frames(toClient.dataRow(Array(count).fill(Buffer.from('ana@shop.example'))))[0]
  for (const [count, expected] of [
    [2, /masked c0 \(detectors\), c1 \(detectors\)\0/],
    [21, /c19 \(detectors\) and 1 more column\0/],
    [30, /c19 \(detectors\) and 10 more columns\0/],
  ] as const) {
    const columns = Array.from({ length: count }, (_, at) => ({
      ...column(20_000),
      name: `c${at}`,
    }))
    const row = cells(count)
    if (row === undefined) return assert.fail()
    for (let rows = 0; rows < 3; rows++) filter.row(row, columns, UNTAINTED)
    assert.match(told(), expected)
    assert.equal(told(), '')
  }
  const [begin, line] = frames(
    Buffer.concat([COPY_OUT, toClient.copyData(Buffer.from('1\tana@shop.example\n'))]),
  )
  if (begin === undefined || line === undefined) return assert.fail()
  filter.copyBegins(begin, UNTAINTED)
  filter.copy(line)
  assert.match(told(), /masked fields of the COPY/)
})

// Seen to fail when a COPY is searched line by line, whatever its columns are.
test('a COPY whose columns are known is searched as its rows would be', () => {
  const detectors = [{ name: 'card' as const, method: 'Redact' as const }]
  const plan = { ...PLAN, detectors: [...detectors, { name: 'email', method: 'Redact' as const }] }
  const card = '4111111111111111'
  const columns = (typeOid: number, name = 'ean') => [
    { name: 'id', typeOid: 23 },
    { name, typeOid },
  ]
  const copied = (copyOut: AnswerTaint['copyOut'], line: string, isTainted = false): string => {
    const filter = resultFilter(plan, KEY)
    const [begin] = frames(COPY_OUT)
    if (begin === undefined) return assert.fail()
    filter.copyBegins(begin, { isTainted, copyOut })
    return frames(toClient.copyData(Buffer.from(line)))
      .flatMap((frame) => [...filter.copy(frame), ...filter.copyEnds()])
      .map((bytes) => bytes.subarray(5).toString())
      .join('')
  }
  const text = { format: 'text', header: false }
  const csv = { format: 'csv', header: false }
  const mail = 'ana@shop.example'
  for (const [copyOut, line, expected] of [
    [null, `1\t${card}\n`, '1\t[masked]\n'],
    [{ ...text, columns: columns(20) }, `1\t${card}\n`, `1\t${card}\n`],
    [{ ...text, columns: columns(20, 'card_no') }, `1\t${card}\n`, '1\t\\N\n'],
    [{ ...text, columns: columns(25) }, `1\t${card}\n`, '1\t[masked]\n'],
    [{ ...text, columns: columns(25) }, `1\ta\\tb ${mail}\n`, '1\ta\\tb [masked]\n'],
    [{ ...csv, columns: columns(20) }, `1,${card}\n`, `1,${card}\n`],
    [{ ...csv, columns: columns(25) }, `1,"a,""${mail}"\n`, `1,"a,""[masked]"\n`],
    [{ ...csv, header: true, columns: columns(25) }, `id,${mail}\n`, `id,${mail}\n`],
    // The target says something else of them.
    [{ ...text, columns: columns(20).slice(1) }, `1\t${card}\n`, '1\t[masked]\n'],
    [{ ...text, format: 'json', columns: columns(20) }, `1\t${card}\n`, '1\t[masked]\n'],
  ] as const)
    assert.equal(copied(copyOut, line), expected, JSON.stringify([copyOut, line]))
  const whole = copied({ ...text, columns: columns(20) }, `1\t${card}\n`, true)
  assert.equal(whole, '[masked]\t[masked]\n')
})

/** CopyOutResponse: text, 2 columns of text. */
const COPY_OUT = Buffer.from([0x48, 0, 0, 0, 11, 0, 0, 2, 0, 0, 0, 0])

const KEY = Buffer.alloc(32, 7)

const PLAN: MaskingPlanned = {
  type: 'MaskingPlanned',
  sessionId: SessionId('01890000-0000-7000-8000-000000000001'),
  at: Instant(1),
  planVersion: 'plan-1',
  targetVersion: 'target-1',
  rulesVersion: 'rules-1',
  columns: [],
  untagged: 'Pass',
  tainted: 'Redact',
  detectors: [],
  passwordLike: null,
  relations: [{ oid: 20_000, attnumMax: 1 }],
  masksNothing: false,
}

const column = (tableOid: number): Column => ({
  name: 'pet',
  tableOid,
  columnAttribute: 1,
  typeOid: 25,
  typeSize: -1,
  typeModifier: -1,
  format: 'text',
})

function frames(bytes: Buffer): ServerFrame[] {
  const [, received] = receiveServer(serverSide(), bytes)
  return received.filter((frame) => frame.tag !== 'Violation')
}

const ROW = frames(toClient.dataRow([Buffer.from('gerbil')]))[0] ?? assert.fail()
