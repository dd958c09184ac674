// Seen to fail when only one of the errors of a topic that is being made is waited for, as kafkajs does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { again } from './kafka/again.ts'
import { isNotYet } from './kafka/problems.ts'
import { topicIsReady } from './provision.ts'

const { KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs
const protocolError = (type: string, code: number) =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code, retriable: false }))

const failing = (errors: Error[]) => () => {
  const error = errors.shift()
  return error === undefined ? Promise.resolve([]) : Promise.reject(error)
}

test('a topic that is not ready yet is waited for, whatever of it is missing, and however it is wrapped', async () => {
  const plain = [
    protocolError('UNKNOWN_TOPIC_OR_PARTITION', 3),
    protocolError('LEADER_NOT_AVAILABLE', 5),
    protocolError('NOT_LEADER_FOR_PARTITION', 6),
    protocolError('REPLICA_NOT_AVAILABLE', 9),
    protocolError('NOT_CONTROLLER', 41),
  ]
  await topicIsReady({ fetchTopicOffsets: failing([...plain]) }, 'x')
  const wrapped = plain.map(
    (error) => new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 1, retryTime: 1 }),
  )
  await topicIsReady({ fetchTopicOffsets: failing(wrapped) }, 'x')
})

test('what will not come is not waited for, and what does not come is given up in time', async () => {
  const refused = failing([protocolError('TOPIC_AUTHORIZATION_FAILED', 29)])
  await assert.rejects(topicIsReady({ fetchTopicOffsets: refused }, 'x'), {
    code: 'CS_LOG_UNAVAILABLE',
  })
  const never = () => Promise.reject(protocolError('UNKNOWN_TOPIC_OR_PARTITION', 3))
  await assert.rejects(again(never, { while: isNotYet, limitMs: 50 }), {
    type: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
})
