import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecOf, isMessageType, RELEASED, SCHEMAS } from './index.ts'

test('today reads what every release wrote, and every release could read what is written today', () => {
  assert.ok(
    RELEASED.length > 0,
    'no released schemas: run node libs/contracts/release.ts <version>',
  )
  for (const [type, schema] of RELEASED) {
    assert.ok(isMessageType(type), `${type} was released and is gone`)
    const released = codecOf(schema).type
    const current = codecOf(SCHEMAS[type].schema).type
    assert.doesNotThrow(
      () => current.createResolver(released),
      `${type}: today cannot read the release`,
    )
    assert.doesNotThrow(
      () => released.createResolver(current),
      `${type}: the release cannot read today`,
    )
  }
})

test('a field without a default is found to be incompatible', () => {
  const before = { type: 'record', name: 'Thing', fields: [{ name: 'a', type: 'string' }] }
  const after = { ...before, fields: [...before.fields, { name: 'b', type: 'string' }] }
  assert.throws(() => codecOf(after).type.createResolver(codecOf(before).type))
})
