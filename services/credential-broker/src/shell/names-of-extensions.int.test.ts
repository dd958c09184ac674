// Seen to fail when OVERLOADS in overload-queries.ts gives 'values' for 'literals' and 'always', and when UNASKED finds nothing.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import {
  type Instance,
  postgresForTests,
  type PostgresForTests,
  takeInstance,
} from '@countersign/local'
import { loadStatements, understand } from '@countersign/statements'
import { profile } from '../core/examples.ts'
import { describeTarget, type Description } from './describe-target.ts'

let instance: Instance
let postgres: PostgresForTests
let admin: pg.Client
let description: Description

const body = (returns: string): string =>
  `LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.victims; RETURN ${returns}; END $$`

const SCHEMA = `
  CREATE EXTENSION citext SCHEMA public;
  CREATE TABLE victims (n integer);
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN short AS text;
  CREATE TABLE vault (id integer, town text, long varchar, mail citext, m mood, s short, big bigint);
  INSERT INTO vault VALUES (1, 'Hamburg', 'x', 'a@b.c', 'ok', 's', 7);
  CREATE FUNCTION left(mood, integer) RETURNS text ${body("'x'")};
  CREATE FUNCTION starts_with(mood, mood) RETURNS boolean ${body('true')};
  CREATE FUNCTION right(mood, bigint) RETURNS text ${body("'x'")};
  CREATE FUNCTION abs(mood) RETURNS integer ${body('1')};
  CREATE FUNCTION initcap(text) RETURNS text ${body("'x'")};
  CREATE FUNCTION reverse(short) RETURNS text ${body("'x'")};
  CREATE FUNCTION repeat(varchar, integer) RETURNS text ${body("'x'")};
  CREATE FUNCTION ascii(mood, mood DEFAULT 'ok') RETURNS integer ${body('1')};
  CREATE FUNCTION concat_ws(mood, VARIADIC mood[]) RETURNS text ${body("'x'")};
  CREATE FUNCTION grows(mood, mood) RETURNS mood ${body("'ok'")};
  CREATE AGGREGATE min(mood) (SFUNC = grows, STYPE = mood);
  CREATE FUNCTION adds(integer, mood) RETURNS integer ${body('1')};
  CREATE AGGREGATE sum(mood) (SFUNC = adds, STYPE = integer, INITCOND = '0');
  CREATE TABLE acc (id integer, owner text);
  INSERT INTO acc VALUES (1, 'a');
  CREATE FUNCTION acc_int(acc) RETURNS integer ${body('1')};
  CREATE CAST (acc AS integer) WITH FUNCTION acc_int(acc);`

/** Casts that PostgreSQL applies unasked; made last, since they change what everything else means. */
const UNASKED = `
  CREATE TABLE keys (k uuid, ks uuid[]); INSERT INTO keys VALUES (gen_random_uuid(), '{}');
  CREATE FUNCTION int_uuid(integer) RETURNS uuid ${body("'00000000-0000-0000-0000-000000000000'")};
  CREATE CAST (integer AS uuid) WITH FUNCTION int_uuid(integer) AS IMPLICIT;`

before(async () => {
  await loadStatements()
  instance = await takeInstance('broker-names')
  postgres = await postgresForTests({ dir: instance.dir, port: instance.ports.postgres })
  admin = new pg.Client({ connectionString: postgres.adminUrl })
  await admin.connect()
  await admin.query(SCHEMA)
  description = await describeTarget(admin, profile)
})

after(async () => {
  await admin.end()
  await postgres.stop()
  await instance.release()
})

const isOpaque = (sql: string): boolean =>
  understand(sql, description).effects.some(
    ({ effect }) => effect === 'opaque' || effect === 'unknown',
  )

/** True if a trap runs with this statement; one that PostgreSQL refuses runs none. */
async function ran(sql: string): Promise<boolean> {
  await admin.query('BEGIN; INSERT INTO victims SELECT 1')
  try {
    await admin.query(sql)
    return (await admin.query('SELECT FROM victims')).rows.length === 0
  } catch {
    return false
  } finally {
    await admin.query('ROLLBACK; DEALLOCATE ALL')
  }
}

const OF_POSTGRES: readonly string[] = [
  'select max(town), min(town), max(mail), min(id) from vault',
  "select regexp_replace('abc', 'b', 'x'), strpos('abc', 'b'), replace('abc', 'b', 'x')",
  "select split_part('a,b', ',', 1), translate('abc', 'b', 'x'), regexp_match('a', 'b')",
  "select replace(town, 'b', long), regexp_split_to_array(long, 'x'), mail from vault",
  "select replace(q.town, 'a', 'b') from (select town, id from vault) q",
  "select left('abc', 2), left(town, 2), left(long, 2), left(null, null), m from vault",
  "select starts_with('a', 'b'), starts_with(town, 'H') from vault",
  'select abs(id), right(town, 2) from vault where (select sum(id) + sum(big) from vault) > 0',
  "select initcap('a'), initcap(town) from vault",
  "select null::int, '5'::int, town::int from vault where false",
  "select id::int, big::int, current_setting('server_version_num')::int from vault",
  "select * from json_to_record('{}') as t(a int)",
  'prepare p(int) as select $1',
  "select upper(mail), lower(mail), mail || 'x' from vault",
]

const OF_TARGET: readonly string[] = [
  'select left(m, 2) from vault',
  "select left('ok'::mood, 2)",
  'select starts_with(m, m) from vault',
  "select starts_with(m, 'ok') from vault",
  "select right('ok', 5::bigint)",
  "select right('ok', big) from vault",
  'select right(m, id) from vault',
  'select abs(m) from vault',
  "select reverse('abc'::varchar)",
  'select reverse(s) from vault',
  'select repeat(long, 2) from vault',
  "select ascii('ok', 'ok')",
  'select ascii(m) from vault',
  'select min(m) from vault',
  'select sum(m) from vault',
  'select left(q.x, 2) from (select m as x from vault) q',
  'select a::int from acc a',
  'select null::acc::int',
  'select (q.a)::int from (select a from acc a) q',
  "select replace(mail, 'a', 'b') from vault",
]

const CAST_UNASKED: readonly string[] = [
  'select uuid_send(1)',
  'select pg_catalog.uuid_send(1)',
  'select (1).uuid_send',
  'select k = 1 from keys',
  'select k from keys where k in (1, 2)',
  'select coalesce(k, 1) from keys',
  'select k from keys union all select 1',
  'select gen_random_uuid() = 1',
  'select case when true then 1 else k end from keys',
  'select array[k, 1] from keys',
  'select ks || 1 from keys',
  'select nullif(k, 1) from keys',
  'select 1 from keys order by greatest(k, 1)',
]

const NOT_CAST: readonly string[] = [
  'select id + 1, id = 1, town from vault where id between 1 and 2',
  "select upper(town), length(town) from vault where town like 'H%'",
]

describe('a name that PostgreSQL and the target have', () => {
  for (const sql of OF_POSTGRES)
    test(`is PostgreSQL's: ${sql}`, async () => {
      assert.equal(isOpaque(sql), false)
      assert.equal(await ran(sql), false)
    })

  test("may be the target's", async () => {
    let trapped = 0
    for (const sql of OF_TARGET) {
      assert.ok(isOpaque(sql), sql)
      if (await ran(sql)) trapped++
    }
    // The examples are no examples when they run nothing.
    assert.ok(trapped >= 15, `only ${trapped} ran the trap`)
  })

  test('is that of a cast which PostgreSQL applies unasked', async () => {
    await admin.query(UNASKED)
    description = await describeTarget(admin, profile)
    let trapped = 0
    for (const sql of CAST_UNASKED) {
      assert.ok(isOpaque(sql), sql)
      if (await ran(sql)) trapped++
    }
    assert.ok(trapped >= 6, `only ${trapped} ran the trap`)
    for (const sql of NOT_CAST) {
      assert.equal(isOpaque(sql), false, sql)
      assert.equal(await ran(sql), false, sql)
    }
  })
})
