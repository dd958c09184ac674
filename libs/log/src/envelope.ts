import { context, propagation, trace } from '@opentelemetry/api'
import {
  decode,
  isMessageType,
  type MessageType,
  topicOf,
  type WrittenWith,
} from '@countersign/contracts'
import { EventId, messageOf, Problem } from '@countersign/kernel'
import type { Draft } from './draft.ts'
import type { LogRecord, TraceContext } from './log.ts'
import { formatPosition, parsePosition, type Position } from './position.ts'

/** A record as a log gives it, before it is decoded. */
export type RawRecord = {
  readonly position: Position
  readonly key: string
  readonly timestampMs: number
  readonly headers: HeaderView
  readonly value: Buffer | null
}

/** A view of the headers of a record. Most readers look at few of many, so nothing is decoded before somebody asks. */
export type HeaderView = {
  /** The first header of this name. */
  text(name: string): string | undefined
  all(): Record<string, string>
}

export type RawHeaders = Readonly<Record<string, Header | Header[] | undefined>>
type Header = Buffer | string

/** A view of headers that are decoded already. */
export function viewOf(headers: RawHeaders): HeaderView {
  const text = (name: string): string | undefined => {
    const value = headers[name]
    const one = Array.isArray(value) ? value[0] : value
    return typeof one === 'string' ? one : one?.toString('utf8')
  }
  const all = (): Record<string, string> =>
    Object.fromEntries(
      Object.keys(headers).flatMap((name) => {
        const value = text(name)
        return value === undefined ? [] : [[name, value]]
      }),
    )
  return { text, all }
}

/** The headers of a record: CloudEvents in the binary content mode of its Kafka binding. */
export function headersOf(
  draft: Draft,
  source: Buffer,
  nowMs: number,
  trace: TraceContext | null,
): Record<string, Header> {
  const headers: Record<string, Header> = {
    'content-type': CONTENT_TYPE,
    ce_specversion: SPEC_VERSION,
    ce_id: draft.id,
    ce_type: typeHeader(draft.message.type),
    ce_source: source,
    ce_time: timeHeader(nowMs),
    ce_subject: draft.key,
    ce_dataschema: SCHEMA_PREFIX + draft.fingerprint,
  }
  if (draft.causation !== null) headers['causation'] = formatPosition(draft.causation)
  return trace === null ? headers : { ...headers, ...trace }
}

/** The trace that an append belongs to: that of the code that asked for it, not of the code that sends its batch. */
export function activeTrace(): TraceContext | null {
  if (trace.getActiveSpan() === undefined) return null
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  return traceIn(viewOf(carrier))
}

/** The record as a reader gets it. Never throws: a record that cannot be understood is `unreadable`. */
export function recordOf(raw: RawRecord, heeded?: null, writtenWith?: WrittenWith): LogRecord
/** The same; null where the reader does not heed messages of this type. */
export function recordOf(
  raw: RawRecord,
  heeded: Heeded,
  writtenWith?: WrittenWith,
): LogRecord | null
export function recordOf(
  raw: RawRecord,
  heeded: Heeded = null,
  writtenWith?: WrittenWith,
): LogRecord | null {
  const { position, key, timestampMs, headers, value } = raw
  const base = { position, key, timestampMs }
  if (value === null)
    return { ...base, status: 'tombstone', trace: traceIn(headers), headers: headers.all() }
  try {
    const type = typeIn(text(headers, 'ce_type'), position.topic)
    if (heeded?.has(type) === false) return null
    const fingerprint = schemaIn(text(headers, 'ce_dataschema'))
    const causation = headers.text('causation')
    return {
      ...base,
      status: 'understood',
      id: EventId(text(headers, 'ce_id')),
      source: text(headers, 'ce_source'),
      message: decode(type, fingerprint, value, writtenWith),
      fingerprint,
      value,
      causation: causation === undefined ? null : parsePosition(causation),
      // Made on demand, since most readers never look.
      get trace() {
        return traceIn(headers)
      },
      get headers() {
        return headers.all()
      },
    }
  } catch (cause) {
    const problem = cause instanceof Problem ? cause : unreadable(messageOf(cause), cause)
    const trace = traceIn(headers)
    return { ...base, status: 'unreadable', value, problem, trace, headers: headers.all() }
  }
}

/** The types of message that a reader wants of a topic; null for all. */
export type Heeded = ReadonlySet<MessageType> | null

function traceIn(headers: HeaderView): TraceContext | null {
  const traceparent = headers.text('traceparent')
  if (traceparent === undefined) return null
  const tracestate = headers.text('tracestate')
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

/**
 * The name of the message. It must belong to the topic that it stands in: a topic has one writer, and a
 * service that may write one topic must not be able to speak for another by naming its messages there.
 */
function typeIn(header: string, topic: string): MessageType {
  const type = header.slice(header.lastIndexOf('.') + 1)
  if (!isMessageType(type) || header !== `${TYPE_PREFIX}${topicOf(type)}.${type}`) {
    throw unreadable(`there is no message ${JSON.stringify(header.slice(0, 200))} in this version`)
  }
  // The topic `policy.rejected` holds messages of `rejected`, as `<service>.rejected` of each service does.
  if (topic.slice(topic.lastIndexOf('.') + 1) !== topicOf(type)) {
    throw unreadable(`${type} does not belong into the topic ${topic}`)
  }
  return type
}

function schemaIn(header: string): string {
  if (!header.startsWith(SCHEMA_PREFIX))
    throw unreadable('ce_dataschema names no schema of Countersign')
  return header.slice(SCHEMA_PREFIX.length)
}

function text(headers: HeaderView, name: string): string {
  const found = headers.text(name)
  if (found === undefined) throw unreadable(`the header ${name} is missing`)
  return found
}

function typeHeader(type: MessageType): Buffer {
  const known = TYPE_HEADERS.get(type)
  if (known !== undefined) return known
  const header = Buffer.from(`${TYPE_PREFIX}${topicOf(type)}.${type}`)
  TYPE_HEADERS.set(type, header)
  return header
}

/** Many records share a millisecond; formatting it once is a measurable part of an append. */
function timeHeader(nowMs: number): Buffer {
  if (nowMs !== lastTime.ms)
    lastTime = { ms: nowMs, header: Buffer.from(new Date(nowMs).toISOString()) }
  return lastTime.header
}

const unreadable = (message: string, cause?: unknown): Problem =>
  new Problem('CS_MESSAGE_UNREADABLE', message, {
    cause,
    hint: 'Upgrade this service to at least the version of the service that wrote the record.',
  })

const TYPE_PREFIX = 'countersign.'
const SCHEMA_PREFIX = 'countersign:'
const CONTENT_TYPE = Buffer.from('application/avro')
const SPEC_VERSION = Buffer.from('1.0')
// bound: one per type of message
const TYPE_HEADERS = new Map<MessageType, Buffer>()
let lastTime = { ms: -1, header: Buffer.alloc(0) }
