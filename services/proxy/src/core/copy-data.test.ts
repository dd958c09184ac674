import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { SessionId } from '@countersign/kernel'
import { copyData } from './copy-data.ts'
import { planned } from './pipeline-plan.ts'
import { requests } from './requests-under-test.ts'
import { toServer } from '@countersign/postgres-wire'
import { noNames } from './statement-names.ts'
import { subjectOf } from './request-subject.ts'

const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 30 })

describe('the data of a COPY', () => {
  // Seen to fail when `add` forgets what came before it where its memory grows.
  test('are the same however they are cut into messages, and so is what people countersign', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.array(fc.nat(500)), (all, cuts) => {
        const whole = taken([all], 500)
        const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)), all.length]
        places.sort((a, b) => a - b)
        const cut = places.slice(1).map((end, index) => all.subarray(places[index], end))
        const again = taken(cut, 500)
        assert.deepEqual(again, Buffer.from(all))
        assert.equal(digest(again), digest(whole))
      }),
    )
  })

  // Seen to fail when `subjectOf` leaves the data out.
  test('that differ in a byte are another request', () => {
    assert.notEqual(digest(Buffer.from('1\n')), digest(Buffer.from('2\n')))
    assert.notEqual(digest(Buffer.alloc(0)), digest(null))
  })

  test('are taken up to the bound, and not a byte more', () => {
    fc.assert(
      fc.property(pieces, fc.nat(300), (all, bytesMax) => {
        const data = copyData(bytesMax)
        const kept: Uint8Array[] = []
        for (const piece of all) {
          const size = kept.reduce((sum, { length }) => sum + length, 0)
          const fits = size + piece.length <= bytesMax
          assert.equal(data.add(piece), fits)
          if (fits) kept.push(piece)
        }
        assert.deepEqual(data.bytes(), Buffer.concat(kept))
      }),
    )
  })

  test('are not the memory that they came in', () => {
    const data = copyData(10)
    const came = Buffer.from('abc')
    data.add(came)
    came.fill(0)
    assert.equal(data.bytes().toString(), 'abc')
    assert.equal(data.bytes().buffer.byteLength >= 3, true)
  })
})

function taken(messages: readonly Uint8Array[], bytesMax: number): Buffer {
  const data = copyData(bytesMax)
  for (const message of messages) assert.ok(data.add(message))
  return data.bytes()
}

function digest(copied: Buffer | null): string {
  const [ask] = planned(requests(toServer.query('copy t from stdin')), noNames()).asks
  assert.ok(ask)
  const context = {
    sessionId: SessionId('01890000-0000-7000-8000-000000001234'),
    ...{ agent: 'a', target: 't', baseRoles: [], stateVersion: 0, policyVersion: '' },
    ...{ salt: Buffer.alloc(16), settings: [] },
  }
  return subjectOf({ ...ask, copyData: copied }, context).digest
}
