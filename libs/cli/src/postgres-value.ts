import type { ValueType } from '@countersign/contracts'

/** A value of a parameter as PostgreSQL would write it, with the name of its type. */
export type PostgresValue = { readonly type: string | null; readonly text: string | null }

/**
 * The value of a parameter in binary format: the text that PostgreSQL gives for it, with `DateStyle = ISO`,
 * `IntervalStyle = postgres` and the time zone UTC. The text is null for types that are not known, for bytes that are no
 * value of the type, and where it would be too long or too deep: then only the bytes can be shown. The bytes are chosen by
 * the agent: each level of a value in a value may double its quotes.
 *
 * Known limits: `money` is written without a currency; a name of the catalogs (regclass and the like) is the OID that was
 * sent, since only the target knows which name it has; tsquery and base types of extensions are bytes; row types of tables
 * only where `types` has them.
 */
export function postgresValue(
  oid: number,
  bytes: Buffer,
  types: TargetTypes = NO_TYPES,
): PostgresValue {
  const type = postgresType(oid, types)
  const lengthMax = Math.max(TEXT_LENGTH_MAX, bytes.length * LENGTH_OF_BYTE_MAX)
  try {
    return { type, text: textOf(oid, bytes, { types, depth: 0, lengthMax }) }
  } catch {
    // A read went beyond the end, or the bytes are no value of the type.
    return { type, text: null }
  }
}

/** Text may be this long whatever the bytes, and longer in proportion to them: no honest value needs more for a byte. */
export const TEXT_LENGTH_MAX = 65_536
export const LENGTH_OF_BYTE_MAX = 8
/** Values are nested no deeper than this. */
const DEPTH_MAX = 8

/** Types of the target that are not built in, by OID. */
export type TargetTypes = ReadonlyMap<number, Pick<ValueType, 'name' | 'kind' | 'of'>>

/** The name of a type. */
export const postgresType = (oid: number, types: TargetTypes = NO_TYPES): string | null =>
  TYPES.get(oid)?.name ?? types.get(oid)?.name ?? null

function readerOf(oid: number, types: TargetTypes): Read | null {
  const builtIn = TYPES.get(oid)
  if (builtIn !== undefined) return builtIn.read
  const type = types.get(baseOf(oid, types))
  switch (type?.kind) {
    case undefined:
      return TYPES.get(baseOf(oid, types))?.read ?? null
    case 'array':
      return array(type.of)
    case 'composite':
      return record
    case 'enum':
      return utf8
    case 'range':
      return range(type.of)
    case 'multirange':
      return multirange(types.get(type.of)?.of ?? 0)
    default:
      return null
  }
}

/** The type itself, or the type that a domain is made over in the end. */
function baseOf(oid: number, types: TargetTypes): number {
  let base = oid
  for (let steps = types.size; steps > 0; steps--) {
    const type = types.get(base)
    if (type?.kind !== 'domain') break
    base = type.of
  }
  return base
}

type Read = (bytes: Buffer, scope: Scope) => string
/** The types of the target, how many values stand around this one, and how long the text of any of them may be. */
type Scope = { readonly types: TargetTypes; readonly depth: number; readonly lengthMax: number }
type Type = { readonly name: string; readonly read: Read }

const exactly =
  (length: number, read: (bytes: Buffer) => string) =>
  (bytes: Buffer): string => {
    if (bytes.length !== length) throw new RangeError('another length')
    return read(bytes)
  }

const utf8 = (bytes: Buffer): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)
const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`
const bool = exactly(1, (bytes) => (bytes[0] === 0 ? 'false' : 'true'))
const int2 = exactly(2, (bytes) => String(bytes.readInt16BE()))
const int4 = exactly(4, (bytes) => String(bytes.readInt32BE()))
const int8 = exactly(8, (bytes) => String(bytes.readBigInt64BE()))
const uint4 = exactly(4, (bytes) => String(bytes.readUInt32BE()))
const uint8 = exactly(8, (bytes) => String(bytes.readBigUInt64BE()))
const float4 = exactly(4, (bytes) => floatText(bytes.readFloatBE(), shortest4))
const float8 = exactly(8, (bytes) => floatText(bytes.readDoubleBE(), String))

/** The fewest digits that give the same single-precision number again. */
function shortest4(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return String(Number(text))
  }
  return String(Number(value.toPrecision(9)))
}

/** PostgreSQL writes an exponent of two digits, below 1e-4 and from 1e15 on (1e6 for real). */
function floatText(value: number, shortest: (value: number) => string): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value < 0 ? '-Infinity' : 'Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', exponent = '0'] = Number(shortest(value)).toExponential().split('e')
  const power = Number(exponent)
  const limit = shortest === String ? 15 : 6
  if (power >= -4 && power < limit) return plain(mantissa, power)
  const sign = power < 0 ? '-' : '+'
  return `${mantissa}e${sign}${String(Math.abs(power)).padStart(2, '0')}`
}

/** A mantissa and a power of ten without an exponent. */
function plain(mantissa: string, power: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace('-', '').replace('.', '')
  if (power < 0) return `${sign}0.${'0'.repeat(-power - 1)}${digits}`
  const whole = digits.slice(0, power + 1).padEnd(power + 1, '0')
  const rest = digits.slice(power + 1)
  return `${sign}${whole}${rest === '' ? '' : `.${rest}`}`
}

/** ndigits, weight, sign, scale, and digits of base 10,000. */
function numeric(bytes: Buffer): string {
  const count = bytes.readUInt16BE(0)
  const weight = bytes.readInt16BE(2)
  const sign = bytes.readUInt16BE(4)
  const scale = bytes.readUInt16BE(6)
  if (bytes.length !== 8 + count * 2) throw new RangeError('another length')
  if (sign === 0xc000) return 'NaN'
  if (sign === 0xd000) return 'Infinity'
  if (sign === 0xf000) return '-Infinity'
  if (weight > DIGITS_MAX || scale > DIGITS_MAX * 4) throw new RangeError('too many digits')
  const digit = (place: number): string =>
    place >= 0 && place < count
      ? String(bytes.readUInt16BE(8 + place * 2)).padStart(4, '0')
      : '0000'
  let whole = ''
  for (let place = 0; place <= weight; place++) whole += digit(place)
  let rest = ''
  for (let place = weight + 1; rest.length < scale; place++) rest += digit(place)
  const integer = whole.replace(/^0+(?=\d)/, '') || '0'
  return `${sign === 0x4000 ? '-' : ''}${integer}${scale === 0 ? '' : `.${rest.slice(0, scale)}`}`
}

const uuid = exactly(16, (bytes) =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
)

const jsonb = (bytes: Buffer): string => {
  if (bytes[0] !== 1) throw new RangeError('another version')
  return utf8(bytes.subarray(1))
}

const EPOCH_DAYS = 10_957 // From 1970-01-01 to 2000-01-01.
const DAY_US = 86_400_000_000n

/** The civil date of a day since 1970, for every year that PostgreSQL has. */
function dayText(day: number): { text: string; isBc: boolean } {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const ofEra = shifted - era * 146_097
  const year0 = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  )
  const ofYear = ofEra - (365 * year0 + Math.floor(year0 / 4) - Math.floor(year0 / 100))
  const part = Math.floor((5 * ofYear + 2) / 153)
  const month = part < 10 ? part + 3 : part - 9
  const year = year0 + era * 400 + (month <= 2 ? 1 : 0)
  const date = ofYear - Math.floor((153 * part + 2) / 5) + 1
  const shown = String(year <= 0 ? 1 - year : year).padStart(4, '0')
  return { text: `${shown}-${two(month)}-${two(date)}`, isBc: year <= 0 }
}

const two = (value: number): string => String(value).padStart(2, '0')

const date = exactly(4, (bytes) => {
  const day = bytes.readInt32BE()
  if (day === 0x7fffffff) return 'infinity'
  if (day === -0x80000000) return '-infinity'
  const { text, isBc } = dayText(day + EPOCH_DAYS)
  return isBc ? `${text} BC` : text
})

/** Hours to microseconds of a number of microseconds. */
function clock(us: bigint): string {
  const seconds = Number(us / 1_000_000n)
  const fraction = String(us % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const hours = Math.floor(seconds / 3600)
  const text = `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return fraction === '' ? text : `${text}.${fraction}`
}

const time = exactly(8, (bytes) => clock(bytes.readBigInt64BE()))

const timetz = exactly(12, (bytes) => clock(bytes.readBigInt64BE()) + zone(-bytes.readInt32BE(8)))

function zone(seconds: number): string {
  const all = Math.abs(seconds)
  const parts = [two(Math.floor(all / 3600))]
  if (all % 3600 !== 0) parts.push(two(Math.floor(all / 60) % 60))
  if (all % 60 !== 0) parts.push(two(all % 60))
  return `${seconds < 0 ? '-' : '+'}${parts.join(':')}`
}

const timestamp = (suffix: string) =>
  exactly(8, (bytes) => {
    const us = bytes.readBigInt64BE()
    if (us === 0x7fffffffffffffffn) return 'infinity'
    if (us === -0x8000000000000000n) return '-infinity'
    const ofDay = ((us % DAY_US) + DAY_US) % DAY_US
    const { text, isBc } = dayText(Number((us - ofDay) / DAY_US) + EPOCH_DAYS)
    return `${text} ${clock(ofDay)}${suffix}${isBc ? ' BC' : ''}`
  })

/** Microseconds, days, months. */
const interval = exactly(16, (bytes) => {
  const us = bytes.readBigInt64BE()
  const days = bytes.readInt32BE(8)
  const months = bytes.readInt32BE(12)
  if (us === 0x7fffffffffffffffn && days === 0x7fffffff && months === 0x7fffffff) return 'infinity'
  if (us === -0x8000000000000000n && days === -0x80000000 && months === -0x80000000)
    return '-infinity'
  // bound: as long as one value
  const parts: string[] = []
  let isAfterNegative = false
  const add = (value: number, unit: string): void => {
    if (value === 0) return
    const sign = value > 0 && isAfterNegative ? '+' : ''
    parts.push(`${sign}${value} ${unit}${value === 1 ? '' : 's'}`)
    isAfterNegative = value < 0
  }
  add(Math.trunc(months / 12), 'year')
  add(months % 12, 'mon')
  add(days, 'day')
  if (us !== 0n || parts.length === 0) {
    const sign = us < 0n ? '-' : isAfterNegative ? '+' : ''
    parts.push(sign + clock(us < 0n ? -us : us))
  }
  return parts.join(' ')
})

/** Family, bits, whether it is a cidr, length, address. */
function inet(bytes: Buffer): string {
  const [family = 0, bits = 0, isCidr = 0, length = 0] = bytes
  const address = bytes.subarray(4)
  if (address.length !== length) throw new RangeError('another length')
  const isFull = bits === length * 8
  const text = family === 2 ? [...address].join('.') : ipv6(address)
  return isFull && isCidr === 0 ? text : `${text}/${bits}`
}

function ipv6(address: Buffer): string {
  const words = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2))
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let end = start
    while (words[end] === 0) end++
    if (end - start > best.length) best = { start, length: end - start }
  }
  // The last four bytes of ::a.b.c.d and ::ffff:a.b.c.d are written as an IPv4 address.
  const isV4 =
    best.start === 0 &&
    (best.length === 6 ||
      (best.length === 7 && words[7] !== 1) ||
      (best.length === 5 && words[5] === 0xffff))
  const tail = isV4 ? [[...address.subarray(12)].join('.')] : []
  const shown = (from: number, to: number): string[] =>
    words.slice(from, to).map((word) => word.toString(16))
  const end = isV4 ? 6 : 8
  if (best.start < 0) return [...shown(0, end), ...tail].join(':')
  const after = best.start + best.length
  return `${shown(0, best.start).join(':')}::${[...shown(after, end), ...tail].join(':')}`
}

const macaddr = (length: number) =>
  exactly(length, (bytes) => bytes.toString('hex').replace(/..(?=.)/g, '$&:'))

/** The number of bits, then the bits. */
function bits(bytes: Buffer): string {
  const count = bytes.readInt32BE()
  const all = [...bytes.subarray(4)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  if (count < 0 || Math.ceil(count / 8) !== bytes.length - 4) throw new RangeError('another length')
  return all.slice(0, count)
}

const money = exactly(8, (bytes) => {
  const cents = bytes.readBigInt64BE()
  const all = (cents < 0n ? -cents : cents).toString().padStart(3, '0')
  const whole = all.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',')
  return `${cents < 0n ? '-' : ''}${whole}.${all.slice(-2)}`
})

const doubles = (bytes: Buffer, from = 0): string[] => {
  if ((bytes.length - from) % 8 !== 0) throw new RangeError('another length')
  return Array.from({ length: (bytes.length - from) / 8 }, (_, index) =>
    float8(bytes.subarray(from + index * 8, from + index * 8 + 8)),
  )
}
const points = (bytes: Buffer, from: number): string => {
  const all = doubles(bytes, from)
  return all
    .flatMap((x, index) => (index % 2 === 0 ? [`(${x},${all[index + 1] ?? ''})`] : []))
    .join(',')
}
const point = exactly(16, (bytes) => points(bytes, 0))
const line = exactly(24, (bytes) => `{${doubles(bytes).join(',')}}`)
const lseg = exactly(32, (bytes) => `[${points(bytes, 0)}]`)
const box = exactly(32, (bytes) => points(bytes, 0))
const circle = exactly(24, (bytes) => {
  const [x = '', y = '', radius = ''] = doubles(bytes)
  return `<(${x},${y}),${radius}>`
})
const polygon = (bytes: Buffer): string => {
  if (bytes.length !== 4 + bytes.readInt32BE() * 16) throw new RangeError('another length')
  return `(${points(bytes, 4)})`
}
const path = (bytes: Buffer): string => {
  if (bytes.length !== 5 + bytes.readInt32BE(1) * 16) throw new RangeError('another length')
  return bytes[0] === 0 ? `[${points(bytes, 5)}]` : `(${points(bytes, 5)})`
}
const tid = exactly(6, (bytes) => `(${bytes.readUInt32BE()},${bytes.readUInt16BE(4)})`)
const lsn = exactly(8, (bytes) =>
  `${bytes.readUInt32BE().toString(16)}/${bytes.readUInt32BE(4).toString(16)}`.toUpperCase(),
)

/** Dimensions, whether it has NULLs, the type of its elements, sizes and lower bounds, then length and bytes of each element. */
const array =
  (oid: number): Read =>
  (bytes, scope) => {
    const dimensions = bytes.readInt32BE()
    if (dimensions < 0 || dimensions > DIMENSIONS_MAX) throw new RangeError('too many dimensions')
    // PostgreSQL refuses this too; otherwise the bytes could nest arrays in arrays.
    if (bytes.readUInt32BE(8) !== oid) throw new RangeError('another type of elements')
    const places = Array.from({ length: dimensions }, (_, index) => 12 + index * 8)
    const sizes = places.map((place) => bytes.readInt32BE(place))
    const lower = places.map((place) => bytes.readInt32BE(place + 4))
    if (sizes.some((size) => size < 0)) throw new RangeError('another size')
    let at = 12 + dimensions * 8
    const part = bounded(scope)
    const element = (): string => {
      const length = bytes.readInt32BE(at)
      at += 4
      if (length < 0) return part('NULL')
      const found = part(inner(oid, bytes.subarray(at, at + length), { length, scope }))
      at += length
      return /^$|^null$|[\s{}",\\;]/i.test(oid === BOX_OID ? found.replaceAll(',', '') : found)
        ? `"${found.replace(/["\\]/g, '\\$&')}"`
        : found
    }
    const level = (depth: number): string => {
      const parts: string[] = []
      for (let left = sizes[depth] ?? 0; left > 0; left--)
        parts.push(depth + 1 < dimensions ? level(depth + 1) : element())
      return `{${parts.join(oid === BOX_OID ? ';' : ',')}}`
    }
    const isEmpty = dimensions === 0 || sizes.includes(0)
    const text = isEmpty ? '{}' : level(0)
    if (at !== bytes.length) throw new RangeError('bytes behind it')
    if (isEmpty || lower.every((bound) => bound === 1)) return text
    const bounds = lower.map((bound, index) => `[${bound}:${bound + (sizes[index] ?? 0) - 1}]`)
    return `${bounds.join('')}=${text}`
  }

function inner(oid: number, bytes: Buffer, { length, scope }: Inner): string {
  if (bytes.length !== length) throw new RangeError('another length')
  const text = textOf(oid, bytes, { ...scope, depth: scope.depth + 1 })
  // The output function gives one letter, `t` or `f`, where the cast to text gives the word.
  return baseOf(oid, scope.types) === BOOL_OID ? text.slice(0, 1) : text
}

/** The length that stands before a value, and the scope that the value stands in. */
type Inner = { readonly length: number; readonly scope: Scope }

/** Throws where the type is not known, the bytes are none of it, or the text is too long or too deep. */
function textOf(oid: number, bytes: Buffer, scope: Scope): string {
  const read = readerOf(oid, scope.types)
  if (read === null) throw new RangeError('a type that is not known')
  if (scope.depth > DEPTH_MAX) throw new RangeError('too deep')
  return bounded(scope)(read(bytes, scope))
}

/** Passes on the parts of a text until they are longer than it may be. */
function bounded({ lengthMax }: Scope): (part: string) => string {
  let length = 0
  return (part) => {
    length += part.length
    if (length > lengthMax) throw new RangeError('too long')
    return part
  }
}

/** An array of one dimension that begins at 0, written with blanks. */
const vector =
  (oid: number): Read =>
  (bytes, scope) =>
    array(oid)(bytes, scope)
      .replace(/^.*{|}$/g, '')
      .replaceAll(',', ' ')

/** The number of lexemes; of each its text, a zero, the number of places, and each place with its weight in the upper bits. */
function tsvector(bytes: Buffer): string {
  const lexemes: string[] = []
  let at = 4
  for (let count = bytes.readInt32BE(); count > 0; count--) {
    const end = bytes.indexOf(0, at)
    if (end < 0) throw new RangeError('a lexeme without an end')
    const lexeme = utf8(bytes.subarray(at, end)).replace(/['\\]/g, '$&$&')
    const places = Array.from({ length: bytes.readUInt16BE(end + 1) }, (_, index) => {
      const place = bytes.readUInt16BE(end + 3 + index * 2)
      return `${place & 0x3fff}${WEIGHTS[place >> 14] ?? ''}`
    })
    at = end + 3 + places.length * 2
    lexemes.push(`'${lexeme}'${places.length === 0 ? '' : `:${places.join(',')}`}`)
  }
  if (at !== bytes.length) throw new RangeError('bytes behind it')
  return lexemes.join(' ')
}

const WEIGHTS: readonly string[] = ['', 'C', 'B', 'A']

/** The number of transactions under way, the first and the next transaction, and those under way. */
function snapshot(bytes: Buffer): string {
  const count = bytes.readInt32BE()
  if (count < 0 || bytes.length !== 20 + count * 8) throw new RangeError('another length')
  const at = (place: number): string => String(bytes.readBigUInt64BE(place))
  const under = Array.from({ length: count }, (_, index) => at(20 + index * 8))
  return `${at(4)}:${at(12)}:${under.join(',')}`
}

const unread = (): string => {
  throw new RangeError('a format that is not read')
}

/** Flags, then length and bytes of the bounds that it has. */
const range =
  (oid: number): Read =>
  (bytes, scope) => {
    const flags = bytes.readUInt8()
    if ((flags & 1) !== 0 && bytes.length === 1) return 'empty'
    if ((flags & 1) !== 0) throw new RangeError('bytes behind it')
    let at = 1
    const bound = (isInfinite: boolean): string => {
      if (isInfinite) return ''
      const length = bytes.readInt32BE(at)
      const text = inner(oid, bytes.subarray(at + 4, at + 4 + length), { length, scope })
      at += 4 + length
      return /[\s"\\(),[\]]|^$/.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text
    }
    const lower = bound((flags & 8) !== 0)
    const upper = bound((flags & 16) !== 0)
    if (at !== bytes.length) throw new RangeError('bytes behind it')
    return `${(flags & 2) === 0 ? '(' : '['}${lower},${upper}${(flags & 4) === 0 ? ')' : ']'}`
  }

const multirange =
  (oid: number): Read =>
  (bytes, scope) => {
    const read = range(oid)
    const part = bounded(scope)
    const ranges: string[] = []
    let at = 4
    for (let count = bytes.readUInt32BE(); count > 0; count--) {
      const length = bytes.readInt32BE(at)
      ranges.push(part(read(bytes.subarray(at + 4, at + 4 + length), scope)))
      at += 4 + length
    }
    if (at !== bytes.length) throw new RangeError('bytes behind it')
    return `{${ranges.join(',')}}`
  }

/** The number of fields, then type, length and bytes of each. */
function record(bytes: Buffer, scope: Scope): string {
  let at = 4
  const part = bounded(scope)
  const fields: string[] = []
  for (let count = bytes.readInt32BE(); count > 0; count--) {
    const oid = bytes.readUInt32BE(at)
    const length = bytes.readInt32BE(at + 4)
    at += 8
    if (length < 0) {
      fields.push('')
      continue
    }
    const text = part(inner(oid, bytes.subarray(at, at + length), { length, scope }))
    at += length
    fields.push(/^$|[\s"\\(),]/.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text)
  }
  if (at !== bytes.length) throw new RangeError('bytes behind it')
  return `(${fields.join(',')})`
}

const NO_TYPES: TargetTypes = new Map()
const DIMENSIONS_MAX = 6
const DIGITS_MAX = 32_768
const BOX_OID = 603
const BOOL_OID = 16

type Row = readonly [oid: number, arrayOid: number, name: string, read: Read]

/** Types with their arrays, as in pg_type.dat. */
const SCALARS: readonly Row[] = [
  [16, 1000, 'boolean', bool],
  [17, 1001, 'bytea', hex],
  [18, 1002, '"char"', (bytes) => utf8(bytes).replace('\0', '')],
  [19, 1003, 'name', utf8],
  [20, 1016, 'bigint', int8],
  [21, 1005, 'smallint', int2],
  [22, 1006, 'int2vector', vector(21)],
  [23, 1007, 'integer', int4],
  [24, 1008, 'regproc', uint4],
  [25, 1009, 'text', utf8],
  [26, 1028, 'oid', uint4],
  [27, 1010, 'tid', tid],
  [28, 1011, 'xid', uint4],
  [29, 1012, 'cid', uint4],
  [30, 1013, 'oidvector', vector(26)],
  [114, 199, 'json', utf8],
  [142, 143, 'xml', utf8],
  [600, 1017, 'point', point],
  [601, 1018, 'lseg', lseg],
  [602, 1019, 'path', path],
  [603, 1020, 'box', box],
  [604, 1027, 'polygon', polygon],
  [628, 629, 'line', line],
  [650, 651, 'cidr', inet],
  [700, 1021, 'real', float4],
  [701, 1022, 'double precision', float8],
  [718, 719, 'circle', circle],
  [774, 775, 'macaddr8', macaddr(8)],
  [790, 791, 'money', money],
  [829, 1040, 'macaddr', macaddr(6)],
  [869, 1041, 'inet', inet],
  [1042, 1014, 'character', utf8],
  [1043, 1015, 'character varying', utf8],
  [1082, 1182, 'date', date],
  [1083, 1183, 'time', time],
  [1114, 1115, 'timestamp', timestamp('')],
  [1184, 1185, 'timestamptz', timestamp('+00')],
  [1186, 1187, 'interval', interval],
  [1266, 1270, 'timetz', timetz],
  [1560, 1561, 'bit', bits],
  [1562, 1563, 'bit varying', bits],
  [1700, 1231, 'numeric', numeric],
  [1790, 2201, 'refcursor', utf8],
  [2202, 2207, 'regprocedure', uint4],
  [2203, 2208, 'regoper', uint4],
  [2204, 2209, 'regoperator', uint4],
  [2205, 2210, 'regclass', uint4],
  [2206, 2211, 'regtype', uint4],
  [2249, 2287, 'record', record],
  [2275, 1263, 'cstring', utf8],
  [2950, 2951, 'uuid', uuid],
  [2970, 2949, 'txid_snapshot', snapshot],
  [3220, 3221, 'pg_lsn', lsn],
  [3614, 3643, 'tsvector', tsvector],
  [3615, 3645, 'tsquery', unread],
  [3734, 3735, 'regconfig', uint4],
  [3769, 3770, 'regdictionary', uint4],
  [3802, 3807, 'jsonb', jsonb],
  [3904, 3905, 'int4range', range(23)],
  [3906, 3907, 'numrange', range(1700)],
  [3908, 3909, 'tsrange', range(1114)],
  [3910, 3911, 'tstzrange', range(1184)],
  [3912, 3913, 'daterange', range(1082)],
  [3926, 3927, 'int8range', range(20)],
  [4072, 4073, 'jsonpath', jsonb],
  [4089, 4090, 'regnamespace', uint4],
  [4096, 4097, 'regrole', uint4],
  [4191, 4192, 'regcollation', uint4],
  [4451, 6150, 'int4multirange', multirange(23)],
  [4532, 6151, 'nummultirange', multirange(1700)],
  [4533, 6152, 'tsmultirange', multirange(1114)],
  [4534, 6153, 'tstzmultirange', multirange(1184)],
  [4535, 6155, 'datemultirange', multirange(1082)],
  [4536, 6157, 'int8multirange', multirange(20)],
  [5038, 5039, 'pg_snapshot', snapshot],
  [5069, 271, 'xid8', uint8],
]

const TYPES: ReadonlyMap<number, Type> = new Map(
  SCALARS.flatMap(([oid, arrayOid, name, read]): [number, Type][] => [
    [oid, { name, read }],
    [arrayOid, { name: `${name}[]`, read: array(oid) }],
  ]),
)
