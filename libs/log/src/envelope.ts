import { context, propagation, trace } from '@opentelemetry/api'
import { decode, isMessageType, type MessageType, topicOf } from '@countersign/contracts'
import { EventId, messageOf, Problem } from '@countersign/kernel'
import type { Draft } from './draft.ts'
import type { LogRecord, TraceContext } from './log.ts'
import { formatPosition, parsePosition, type Position } from './position.ts'

/** What a log gives for a record before anybody tried to understand it. */
export type RawRecord = {
  readonly position: Position
  readonly key: string
  readonly timestampMs: number
  readonly headers: RawHeaders
  readonly value: Buffer | null
}

export type RawHeaders = Readonly<Record<string, Header | Header[] | undefined>>
type Header = Buffer | string

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

/** The trace that an append belongs to: where the code runs that asked for it, not where its batch is sent. */
export function activeTrace(): TraceContext | null {
  if (trace.getActiveSpan() === undefined) return null
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  return traceIn(carrier)
}

/** The record as a reader gets it. Never throws: a record that cannot be understood says so. */
export function recordOf(raw: RawRecord): LogRecord {
  const { position, key, timestampMs, value } = raw
  if (value === null)
    return withHeaders({ status: 'tombstone', position, key, timestampMs }, raw.headers)
  try {
    const type = typeIn(text(raw.headers, 'ce_type'), position.topic)
    const message = decode(type, schemaIn(text(raw.headers, 'ce_dataschema')), value)
    const causation = optionalText(raw.headers, 'causation')
    const understood = {
      status: 'understood',
      position,
      key,
      timestampMs,
      id: EventId(text(raw.headers, 'ce_id')),
      source: text(raw.headers, 'ce_source'),
      message,
      fingerprint: schemaIn(text(raw.headers, 'ce_dataschema')),
      value,
      causation: causation === undefined ? null : parsePosition(causation),
    } as const
    return withHeaders(understood, raw.headers)
  } catch (cause) {
    const problem = cause instanceof Problem ? cause : unreadable(messageOf(cause), cause)
    return withHeaders(
      { status: 'unreadable', position, key, timestampMs, value, problem },
      raw.headers,
    )
  }
}

/** The headers as text; most readers never look, so they are made only when somebody does. */
function withHeaders<T extends object>(record: T, raw: RawHeaders): T & Headers {
  // The properties that are defined here are what the type adds.
  return Object.defineProperty(Object.assign(record, { trace: traceIn(raw) }), 'headers', {
    enumerable: true,
    get: () => stringsOf(raw),
  }) as T & Headers
}

type Headers = Pick<LogRecord, 'headers' | 'trace'>

function traceIn(raw: RawHeaders): TraceContext | null {
  const traceparent = optionalText(raw, 'traceparent')
  if (traceparent === undefined) return null
  const tracestate = optionalText(raw, 'tracestate')
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate }
}

function stringsOf(raw: RawHeaders): Record<string, string> {
  const strings: Record<string, string> = {}
  for (const name of Object.keys(raw)) {
    const value = optionalText(raw, name)
    if (value !== undefined) strings[name] = value
  }
  return strings
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
  // `policy.rejected` holds what `rejected` stands for.
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

function text(headers: RawHeaders, name: string): string {
  const found = optionalText(headers, name)
  if (found === undefined) throw unreadable(`the header ${name} is missing`)
  return found
}

function optionalText(headers: RawHeaders, name: string): string | undefined {
  const value = headers[name]
  const one = Array.isArray(value) ? value[0] : value
  return typeof one === 'string' ? one : one?.toString('utf8')
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
const TYPE_HEADERS = new Map<MessageType, Buffer>()
let lastTime = { ms: -1, header: Buffer.alloc(0) }
