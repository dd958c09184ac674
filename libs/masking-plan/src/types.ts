/** How the bytes of a type can be masked. `text`: any text stands for a value; `other`: only NULL does. */
export type TypeClass =
  'text' | 'json' | 'jsonb' | 'bytea' | 'uuid' | 'number' | 'other' | 'unknown'

/** The class of a built-in type by its OID (PostgreSQL `pg_type.dat`); anything else, such as an enum or a domain, is unknown. */
export const classOf = (typeOid: number): TypeClass => CLASSES.get(typeOid) ?? 'unknown'

const CLASSES: ReadonlyMap<number, TypeClass> = new Map([
  ...[18, 19, 25, 705, 1042, 1043, 142, 2275].map((oid): [number, TypeClass] => [oid, 'text']),
  [114, 'json'],
  [3802, 'jsonb'],
  [17, 'bytea'],
  [2950, 'uuid'],
  // int8 and numeric are long enough for a card number.
  [20, 'number'],
  [1700, 'number'],
  // bool, int2, int4, oid, float, money, date, time, interval, bit, xid, tid, cid, regclass and the like.
  ...[
    16, 21, 23, 26, 700, 701, 790, 1082, 1083, 1114, 1184, 1186, 1266, 1560, 1562, 27, 28, 29, 2205,
    2206, 3220, 5069,
  ].map((oid): [number, TypeClass] => [oid, 'other']),
  // inet, cidr, macaddr, point and other geometry.
  ...[869, 650, 829, 774, 600, 601, 602, 603, 604, 628, 718].map((oid): [number, TypeClass] => [
    oid,
    'other',
  ]),
])
