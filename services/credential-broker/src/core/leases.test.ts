import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LeasesMessage } from '@countersign/contracts'
import { InstanceId, Instant } from '@countersign/kernel'
import { isExpired, type Leases, leaseSeen } from './leases.ts'

const proxy = InstanceId('00000000-0000-7000-8000-000000000001')
const at = Instant(0)
const renewed: LeasesMessage = {
  type: 'LeaseRenewed',
  instanceId: proxy,
  at,
  leaseMs: 10_000,
  renewal: 1,
}
const released: LeasesMessage = { type: 'LeaseReleased', instanceId: proxy, at }

test('a lease is good for as long as it says, from when the broker received it', () => {
  const leases: Leases = new Map()
  leaseSeen(leases, renewed, 5_000)
  assert.equal(isExpired(leases, proxy, 14_999), false)
  assert.equal(isExpired(leases, proxy, 15_000), true)
})

test('a process that was never heard of has one lease from now on', () => {
  const leases: Leases = new Map()
  assert.equal(isExpired(leases, proxy, 1_000), false)
  assert.equal(isExpired(leases, proxy, 10_999), false)
  assert.equal(isExpired(leases, proxy, 11_000), true)
})

test('a lease that was given back is over at once, and no late renewal revives it', () => {
  const leases: Leases = new Map()
  leaseSeen(leases, renewed, 0)
  leaseSeen(leases, released, 1)
  leaseSeen(leases, renewed, 2)
  assert.equal(isExpired(leases, proxy, 3), true)
})

test('of many processes that came and went the last ones are remembered', () => {
  const leases: Leases = new Map()
  for (let number = 0; number < 20_000; number++) {
    const instanceId = InstanceId(`00000000-0000-7000-8000-${String(number).padStart(12, '0')}`)
    leaseSeen(leases, { ...renewed, instanceId }, number)
    leaseSeen(leases, { ...released, instanceId }, number)
  }
  assert.equal(leases.size, 10_000)
  const last = InstanceId('00000000-0000-7000-8000-000000019999')
  assert.equal(isExpired(leases, last, 20_000), true)
  // A process that was forgotten gets one lease, and no more.
  assert.equal(isExpired(leases, proxy, 20_000), false)
  assert.equal(isExpired(leases, proxy, 30_000), true)
})
