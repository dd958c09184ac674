import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { partitionOfRole, roleName, rolePrefix } from './role-name.ts'

test('a role of a pool says which partition it belongs to', () => {
  assert.equal(roleName('shop-prod', 5, 0), 'cs_shop_prod_5')
  assert.equal(roleName('shop-prod', 5, 1), 'cs_shop_prod_69')
  assert.equal(partitionOfRole('shop-prod', 'cs_shop_prod_69'), 5)
})

test('profiles that look alike have pools of their own', () => {
  const profiles = [
    'shop-prod',
    'shop_prod',
    'Shop-prod',
    'shop.prod',
    'shop',
    'x'.repeat(80),
    'x'.repeat(81),
  ]
  assert.equal(new Set(profiles.map(rolePrefix)).size, profiles.length)
  assert.equal(partitionOfRole('shop', 'cs_shop_prod_5'), null)
  assert.equal(partitionOfRole('shop', 'cs_shop_'), null)
})

test('any profile name gives a name that PostgreSQL holds and that finds its partition again', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }),
      fc.nat(63),
      fc.nat(1_000),
      (profile, partition, place) => {
        const role = roleName(profile, partition, place)
        assert.match(role, /^cs_[a-z0-9_]+$/)
        assert.ok(role.length <= 63)
        assert.equal(partitionOfRole(profile, role), partition)
      },
    ),
  )
})
