import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MaskingPlanned } from '@countersign/contracts'
import { Instant, SessionId } from '@countersign/kernel'
import {
  cellsOf,
  type Column,
  parameterStatusOf,
  receiveServer,
  type ServerFrame,
  serverSide,
  toClient,
} from '@countersign/postgres-wire'
import { UNTAINTED } from './answer-taint.ts'
import { resultFilter } from './result-filter.ts'

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
