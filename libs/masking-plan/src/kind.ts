/**
 * What masking must know of a type: how its values look on the wire.
 * `plain` cannot hold what a detector looks for; `list` can, but cannot be changed in place.
 */
export type Kind =
  | 'text'
  | 'json'
  | 'jsonb'
  | 'bytea'
  | 'uuid'
  | 'number'
  | 'list'
  | 'plain'
  | 'unknown'

/** The kind of a type by its OID; types that are not built in (domains, enums, citext) are unknown. */
export function kindOf(typeOid: number): Kind {
  return KINDS.get(typeOid) ?? 'unknown'
}

const OIDS: Readonly<Record<Exclude<Kind, 'unknown'>, readonly number[]>> = {
  // text, varchar, bpchar, name, xml, cstring, unknown, refcursor.
  text: [25, 1043, 1042, 19, 142, 2275, 705, 1790],
  json: [114],
  jsonb: [3802],
  bytea: [17],
  uuid: [2950],
  // int8, numeric.
  number: [20, 1700],
  // Arrays of text, varchar, bpchar, name, "char", cstring, xml, json, jsonb, bytea, int8, numeric; record, record[], tsvector.
  list: [1009, 1015, 1014, 1003, 1002, 1263, 143, 199, 3807, 1001, 1016, 1231, 2249, 2287, 3614],
  // bool, "char", int2, int4, oid, tid, xid, cid, float4, float8, money, date, time, timetz,
  // timestamp, timestamptz, interval, bit, varbit, inet, cidr, macaddr, macaddr8, pg_lsn, void,
  // the arrays of bool, int2, int4, oid, float4, float8, date, time, timestamp, timestamptz,
  // interval, uuid, and the ranges of numbers and dates.
  plain: [
    16, 18, 21, 23, 26, 27, 28, 29, 700, 701, 790, 1082, 1083, 1266, 1114, 1184, 1186, 1560, 1562,
    869, 650, 829, 774, 3220, 2278, 1000, 1005, 1007, 1028, 1021, 1022, 1182, 1183, 1115, 1185, 1187,
    2951, 3904, 3908, 3910, 3912,
  ],
}

const NAMES = ['text', 'json', 'jsonb', 'bytea', 'uuid', 'number', 'list', 'plain'] as const

const KINDS: ReadonlyMap<number, Kind> = new Map(
  NAMES.flatMap((kind) => OIDS[kind].map((oid): [number, Kind] => [oid, kind])),
)
