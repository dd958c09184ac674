import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MaskingPlanned } from '@countersign/contracts'
import { Instant, SessionId } from '@countersign/kernel'
import {
  cellsOf,
  type Column,
  receiveServer,
  serverSide,
  toClient,
} from '@countersign/postgres-wire'
import { createLogger, netOn } from '@countersign/runtime'
import { UNTAINTED } from '../core/answer-taint.ts'
import { maskedLongRow } from './long-rows.ts'

test('a long row is masked without holding up the loop', async () => {
  let turns = 0
  let isDone = false
  const turn = (): void => {
    turns++
    if (!isDone) setImmediate(turn)
  }
  turn()
  const shown = await Promise.all([
    masked('4 '.repeat(1_000_000)),
    masked(`${'x'.repeat(300_000)} ana@shop.example`),
  ])
  isDone = true
  assert.equal(shown[0], '4 '.repeat(1_000_000))
  assert.equal(shown[1], `${'x'.repeat(300_000)} [masked]`)
  assert.ok(turns > 20, `${turns} turns`)
})

async function masked(value: string): Promise<string> {
  const [, [frame]] = receiveServer(serverSide(), toClient.dataRow([Buffer.from(value)]))
  if (frame === undefined || frame.tag === 'Violation') return assert.fail()
  const { bytes } = await maskedLongRow({
    plan: PLAN,
    key: Buffer.alloc(32),
    columns: [COLUMN],
    taint: UNTAINTED,
    frame,
    net: NET,
  })
  const [, [row]] = receiveServer(serverSide(), bytes)
  if (row === undefined || row.tag === 'Violation') return assert.fail()
  const cells = cellsOf(row)
  return cells.ok ? String(cells.value[0]) : assert.fail()
}

const NET = netOn(createLogger('proxy', 'silent'))

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
  detectors: [
    { name: 'email', method: 'Redact' },
    { name: 'card', method: 'Redact' },
  ],
  passwordLike: null,
  relations: [],
  masksNothing: false,
}
const COLUMN: Column = {
  name: 'x',
  tableOid: 0,
  columnAttribute: 0,
  typeOid: 25,
  typeSize: -1,
  typeModifier: -1,
  format: 'text',
}
