import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf } from '@countersign/contracts'
import { type Link, linked, newChain } from './chain.ts'

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
