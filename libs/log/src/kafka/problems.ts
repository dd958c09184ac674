import { messageOf, Problem } from '@countersign/kernel'

/** An error that kafkajs threw, as a problem. Waiting does not help against a missing authorisation. */
export function problemOf(thrown: unknown, doing: string, user: string): Problem {
  if (thrown instanceof Problem) return thrown
  const causes = causesOf(thrown)
  const denied = causes.find((cause) => DENIED.has(kindOf(cause)))
  if (denied !== undefined) {
    return new Problem('CS_LOG_UNAVAILABLE', `${doing}: ${messageOf(denied)}`, {
      cause: thrown,
      hint: `The Kafka user ${user} is not permitted this (${doing}): provision its ACLs and its password again.`,
    })
  }
  const retriable = !causes.some((cause) => LASTING.has(kindOf(cause)))
  return new Problem('CS_LOG_UNAVAILABLE', `${doing}: ${messageOf(causes.at(-1))}`, {
    cause: thrown,
    retriable,
  })
}

/** True if the same request may succeed when it is sent again. The innermost cause decides: kafkajs calls its wrapper final. */
export function isPassing(thrown: unknown): boolean {
  const causes = causesOf(thrown)
  if (causes.some((cause) => DENIED.has(kindOf(cause)) || LASTING.has(kindOf(cause)))) return false
  return property(causes.at(-1), 'retriable') !== false
}

/** True if a partition has no leader at this moment, or another one than was known: it has just been made, or moved. */
export const isLeaderless = (thrown: unknown): boolean =>
  causesOf(thrown).some((cause) => LEADERLESS.has(kindOf(cause)))

/**
 * True if something was just made and is not there yet. Errors are known by their names in the protocol, wherever kafkajs
 * wrapped them; an error that kafkajs itself marks as retriable counts too.
 */
export const isNotYet = (thrown: unknown): boolean =>
  causesOf(thrown).some(
    (cause) => NOT_YET.has(kindOf(cause)) || property(cause, 'retriable') === true,
  )

/** True if Kafka took longer than kafkajs waits. */
export const isTimeout = (thrown: unknown): boolean =>
  causesOf(thrown).some(
    (cause) =>
      kindOf(cause) === 'KafkaJSRequestTimeoutError' ||
      (kindOf(cause) === 'KafkaJSConnectionError' && messageOf(cause) === 'Connection timeout'),
  )

/** The error and what caused it; kafkajs wraps its errors in others, under two names. */
function causesOf(thrown: unknown): unknown[] {
  const causes: unknown[] = []
  for (let at = thrown; at instanceof Error && causes.length < CAUSES_MAX;) {
    causes.push(at)
    at = property(at, 'cause') ?? property(at, 'originalError')
  }
  return causes.length === 0 ? [thrown] : causes
}

/** The name of Kafka's error code, or of the error of kafkajs. */
function kindOf(cause: unknown): string {
  const type = property(cause, 'type')
  return typeof type === 'string' ? type : cause instanceof Error ? cause.name : ''
}

const property = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined

const DENIED = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'KafkaJSSASLAuthenticationError',
])
const LASTING = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'UNSUPPORTED_VERSION',
])
const LEADERLESS = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'])
const NOT_YET = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'NOT_CONTROLLER',
  'BROKER_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
])
const CAUSES_MAX = 10
