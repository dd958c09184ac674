import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf } from '@countersign/contracts'
import { isRepeat, type Link, linked, newChain, noted, RECENT_MAX } from './chain.ts'

const link = (sequence: number, previousHash: string, id = `e${sequence}`): Link => ({
  id,
  type: 'SessionOpened',
  fingerprint: 'f',
  value: Buffer.from(id),
  sequence,
  previousHash,
})
const hash = ({ type, fingerprint, value }: Link): string => hashOf(type, fingerprint, value)

const first = link(0, '')
const second = link(1, hash(first))
const third = link(2, hash(second))

const said = (...links: readonly Link[]): boolean[] => {
  const chain = newChain()
  return links.map((each) => linked(chain, each) === null)
}

test('a chain whose events follow from each other is whole', () => {
  assert.deepEqual(said(first, second, third), [true, true, true])
})

test('a repeat of an event is harmless wherever it stands', () => {
  assert.deepEqual(said(first, second, first, second, third), [true, true, true, true, true])
})

test('a removed, changed, reordered or inserted event is named once', () => {
  assert.deepEqual(said(first, third), [true, false])
  assert.deepEqual(said(link(0, '', 'other'), second, third), [true, false, true])
  assert.deepEqual(said(second), [false])
  assert.deepEqual(said(first, link(1, hash(first), 'inserted'), second), [true, true, false])
})

// Seen to fail when an event that cannot be read does not count, and when it counts whatever is cited.
test('behind records that cannot be read the chain goes on, with or without them, and with nothing else', () => {
  const fourth = link(3, hash(third))
  const after = (next: Link, ...unread: readonly string[]): boolean => {
    const chain = newChain()
    linked(chain, first)
    for (const each of unread) noted(chain, each)
    return linked(chain, next) === null
  }
  assert.equal(after(third, hash(second)), true)
  assert.equal(after(fourth, hash(second), hash(third)), true)
  assert.equal(after(second, 'of no event'), true)
  assert.equal(after(third, 'of no event', hash(second), 'of no event either'), true)
  assert.equal(after(third, 'of no event'), false, 'the second is removed')
  assert.equal(after(fourth, hash(third)), false, 'the second is removed')
  assert.equal(after(link(1, 'forged'), hash(second)), false)
})

// Seen to fail when ids are kept without a bound, and when those of the last events are lost as their room grows.
test('a repeat of one of the last events is known, in memory that does not grow', () => {
  const chain = newChain()
  let head = ''
  const links: Link[] = []
  for (let sequence = 0; sequence < 3 * RECENT_MAX; sequence++) {
    const one = link(sequence, head, sequence.toString(16))
    assert.equal(linked(chain, one), null)
    head = hash(one)
    links.push(one)
    if (sequence % 100 === 0)
      assert.ok(links.slice(-RECENT_MAX).every((each) => isRepeat(chain, each)))
  }
  assert.equal(chain.recent.byteLength, 8 * RECENT_MAX)
  assert.equal(isRepeat(chain, link(chain.next - 1, '', 'ffff')), false)
})
