/** The classes of types, by the way in which their values can be looked into and masked. */
export type TypeClass =
  | 'text' // Any text is a value.
  | 'padded' // Text with blanks behind it that do not count.
  | 'json'
  | 'jsonb' // The binary form has a version in front.
  | 'bytea'
  | 'uuid'
  | 'int8'
  | 'numeric'
  | 'float8'
  | 'harmless' // Too small or too plain to hold what a detector finds.
  | 'numbers' // Arrays and ranges of them.
  | 'opaque' // Everything else: arrays, composites, ranges, types of the target. Only NULL masks it.

/** The class of a type by its OID; a type that is not known is opaque. */
export const typeClassOf = (typeOid: number): TypeClass => CLASSES.get(typeOid) ?? 'opaque'

// The OIDs of pg_type.dat; they never change.
const CLASSES: ReadonlyMap<number, TypeClass> = new Map<number, TypeClass>([
  // text, varchar, name, unknown, cstring, xml.
  ...[25, 1043, 19, 705, 2275, 142].map((oid): [number, TypeClass] => [oid, 'text']),
  [1042, 'padded'],
  [114, 'json'],
  [3802, 'jsonb'],
  [17, 'bytea'],
  [2950, 'uuid'],
  [20, 'int8'],
  [1700, 'numeric'],
  [701, 'float8'],
  // Arrays of int8, float8 and numeric, their ranges and multiranges.
  ...[1016, 1022, 1231, 3926, 3927, 3906, 3907, 4536, 6157, 4532, 6151].map(
    (oid): [number, TypeClass] => [oid, 'numbers'],
  ),
  // Arrays of bool, int2, int4, oid, float4, date, time, timestamp, timestamptz, interval, timetz, and int2vector, oidvector.
  ...[1000, 1005, 1007, 1028, 1021, 1182, 1183, 1115, 1185, 1187, 1270, 22, 30].map(
    (oid): [number, TypeClass] => [oid, 'harmless'],
  ),
  // bool, "char", int2, int4, oid, tid, xid, cid, float4, money, the dates and times, pg_lsn, void.
  ...[
    16, 18, 21, 23, 26, 27, 28, 29, 700, 790, 1082, 1083, 1114, 1184, 1186, 1266, 3220, 5069, 2278,
  ].map((oid): [number, TypeClass] => [oid, 'harmless']),
])
