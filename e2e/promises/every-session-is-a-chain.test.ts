// Seen to fail when `linked` in services/proxy/src/core/chain.ts does not move the head of the chain.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashOf } from '@countersign/contracts'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { eventually, observe, recordsOf } from '../support/ledger.ts'
import { callReplay, countersign } from '../support/reviewer.ts'

const system = await arena('chain')

test('the events of a session are one chain without a gap, and its end commits to the transcript', async () => {
  const { psql: held, requestId } = await heldStatement(
    system,
    'alter table shop.orders add column chained int',
  )
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  assert.equal((await held.finish()).status, 0)
  const second = await psql(system, {
    profile: 'shop-prod',
    commands: ['select id from shop.products', 'copy shop.products to stdout'],
  })
  assert.equal(second.status, 0, second.stderr)
  await using log = await observe(system)
  const ends = await eventually('both ends', async () => {
    const found = (await recordsOf(log, 'sessions')).filter(
      (record) => record.status === 'understood' && record.message.type === 'SessionEnded',
    )
    return found.length === 2 ? found : false
  })
  for (const topic of ['sessions', 'transcript']) {
    const chains = Map.groupBy(await recordsOf(log, topic), (record) => record.key)
    assert.equal(chains.size, 2)
    for (const records of chains.values()) {
      let head = ''
      for (const [index, record] of records.entries()) {
        assert.equal(record.status, 'understood')
        if (record.status !== 'understood' || !('previousHash' in record.message)) continue
        assert.equal(record.message.sequence, index)
        assert.equal(record.message.previousHash, head)
        head = hashOf(record.message.type, record.fingerprint, record.value)
      }
      const end = ends.find((one) => one.key === records[0]?.key)
      if (
        topic === 'transcript' &&
        end?.status === 'understood' &&
        end.message.type === 'SessionEnded'
      ) {
        assert.equal(end.message.transcriptHead, head)
        assert.equal(end.message.transcriptCount, records.length)
      }
    }
  }
})

// Seen to fail when `readableBy` in services/replay/src/core/audience.ts does not look at the environment.
test('what a session did can be replayed by a reviewer of its environment, and by nobody else', async () => {
  const sessions = await callReplay(system, 'ana', '/v1/sessions')
  assert.equal(sessions.status, 200)
  const text = JSON.stringify(sessions.body)
  const sessionId = /"sessionId":"([0-9a-f-]{36})"/.exec(text)?.[1] ?? ''
  const replay = await callReplay(system, 'ana', `/v1/sessions/${sessionId}`)
  assert.equal(replay.status, 200)
  assert.match(JSON.stringify(replay.body), /"kind":"opened"/)
  assert.equal((await callReplay(system, 'kim', `/v1/sessions/${sessionId}`)).status, 404)
})
