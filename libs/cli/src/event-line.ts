import { SCHEMAS } from '@countersign/contracts'
import type { LogRecord } from '@countersign/log'
import type { Paint } from './paint.ts'
import { oneLine } from './printable.ts'
import { cut } from './table.ts'

/** A record of the log for programs: where it stands, and each field of its message. */
export type EventObject = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string
  /** The name of the message; null for a tombstone, and where no header names it. */
  readonly type: string | null
  readonly time: string
  readonly id: string | null
  readonly source: string | null
  /** The fingerprint of the schema that it was written with. */
  readonly schema: string | null
  /** The record that it follows from, as topic/partition/offset. */
  readonly causation: string | null
  /** Bytes as base64, moments as microseconds since 1970; null where they cannot be read. */
  readonly fields: object | null
  /** The reason why they cannot be read. */
  readonly problem?: string
}

/** A record as an object. Headers are shown as they stand, also where the message cannot be read. */
export function eventObject(record: LogRecord): EventObject {
  const { position, key, timestampMs, headers } = record
  const { topic, partition, offset } = position
  return {
    topic,
    partition,
    offset,
    key,
    type: typeOf(record),
    time: new Date(timestampMs).toISOString(),
    id: headers['ce_id'] ?? null,
    source: headers['ce_source'] ?? null,
    schema: headers['ce_dataschema']?.split(':').at(-1) ?? null,
    causation: headers['causation'] ?? null,
    fields: record.status === 'understood' ? fieldsOf(record.message) : null,
    ...(record.status === 'unreadable' ? { problem: record.problem.message } : {}),
  }
}

/** The name of the message that a record holds, as its header says. */
export const typeOf = ({ headers }: LogRecord): string | null =>
  headers['ce_type']?.split('.').at(-1) ?? null

/** A record for people, on one line. */
export function eventLine(event: EventObject, paint: Paint): string {
  const { time, topic, key, type, fields, problem } = event
  const said = Object.entries(fields ?? {}).flatMap(([name, value]) =>
    IN_ITS_PLACE.has(name) || isNothing(value) ? [] : [`${name}=${shown(name, value)}`],
  )
  const rest = problem === undefined ? said.join(' ') : paint('red', oneLine(problem))
  const head = `${time} ${oneLine(topic)} ${oneLine(key)} ${paint('bold', oneLine(type ?? '–'))}`
  return `${head} ${rest}`.trimEnd() + '\n'
}

function fieldsOf({ type: _, ...fields }: object & { readonly type: string }): object {
  const plain: unknown = JSON.parse(
    JSON.stringify(fields, (_, value: unknown) => bytesAsText(value)),
  )
  return Object(plain)
}

/** A Buffer has become `{type: 'Buffer', data: […]}` when JSON hands it over. */
function bytesAsText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('data' in value))
    return value
  return value.type === 'Buffer' && Array.isArray(value.data)
    ? Buffer.from(value.data).toString('base64')
    : value
}

function shown(name: string, value: unknown): string {
  if (MOMENTS.has(name) && typeof value === 'number') return new Date(value / 1_000).toISOString()
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const isPlain = typeof value !== 'string' || /^[^\s"=]+$/.test(text)
  return cut(oneLine(isPlain ? text : JSON.stringify(text)), VALUE_MAX)
}

const isNothing = (value: unknown): boolean =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0)

/** The names of all fields that are moments. */
function momentsIn(schema: unknown, name = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return []
  if ('logicalType' in schema && schema.logicalType === 'timestamp-micros') return [name]
  const own = 'name' in schema && 'type' in schema && typeof schema.type === 'object'
  const inside = own && typeof schema.name === 'string' ? schema.name : name
  return Object.values(schema).flatMap((part: unknown) => momentsIn(part, inside))
}

const MOMENTS: ReadonlySet<string> = new Set(momentsIn(SCHEMAS))
/** Fields that repeat the key and the time of the record, or that are for the chain alone. */
const IN_ITS_PLACE: ReadonlySet<string> = new Set(['sessionId', 'at', 'sequence', 'previousHash'])
const VALUE_MAX = 80
