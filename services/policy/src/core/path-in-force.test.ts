import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from '@countersign/statements'
import { target } from './example-under-test.ts'
import { targetInForce } from './path-in-force.ts'
import { tagsOf } from './tags.ts'

before(() => loadStatements())

const shop = target('shop-prod')
const profile = { searchPaths: [['tenant_*']], mayCreate: false }
const set = (value: string) => [{ name: 'search_path', value }]

test('without a setting the path is that of the target', () => {
  assert.deepEqual(targetInForce(shop, profile, [])?.searchPath, shop.searchPath)
})

test('a path of the profile is in force, and one that it does not list is not', () => {
  assert.deepEqual(targetInForce(shop, profile, set('"tenant_a"'))?.searchPath, ['tenant_a'])
  assert.equal(targetInForce(shop, profile, set('"evil"')), null)
  assert.equal(targetInForce(shop, { ...profile, searchPaths: [] }, set('"tenant_a"')), null)
  assert.equal(targetInForce(shop, profile, set('"tenant_a')), null)
})

test('the same target along the same path is the same value, of as many paths as are remembered', () => {
  const first = targetInForce(shop, profile, set('tenant_0'))
  assert.equal(targetInForce(shop, profile, set('"tenant_0"')), first)
  for (let at = 1; at <= 64; at++) targetInForce(shop, profile, set(`tenant_${at}`))
  assert.notEqual(targetInForce(shop, profile, set('tenant_0')), first)
})

/** Seen to fail when tags are remembered by the object that has a path too. */
test('which columns are masked is worked out once for all paths', () => {
  const tagged = ['tenant_a', 'tenant_b'].map((path) => {
    const inForce = targetInForce(shop, profile, set(path))
    assert.ok(inForce !== null)
    return tagsOf(inForce, null)
  })
  assert.equal(tagged[0], tagged[1])
})
