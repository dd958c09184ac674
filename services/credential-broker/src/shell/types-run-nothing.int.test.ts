// Each construct was tried at PostgreSQL 18 and 15. Meant to fail when `columnDef` in query.ts leaves out the types of what
// stands in FROM, when `touch` in collector.ts does not look at types, when `calls` in types.ts has only functions, and when
// plain-types.ts takes every domain for plain.
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

const SCHEMA = `
  CREATE SCHEMA shop;
  CREATE TABLE victims (n integer);
  CREATE FUNCTION trap(text) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN DELETE FROM public.victims; RETURN true; END $$;
  CREATE FUNCTION trap_range(integer, integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER AS
    $$ BEGIN RETURN $1 - $2; END $$;
  CREATE DOMAIN a_domain AS text CHECK (trap(VALUE));
  CREATE DOMAIN over_domain AS a_domain;
  CREATE DOMAIN over_array AS a_domain[];
  CREATE DOMAIN shop.elsewhere AS text CHECK (public.trap(VALUE));
  CREATE DOMAIN int_domain AS integer CHECK (trap(VALUE::text));
  CREATE DOMAIN hidden AS text CHECK (query_to_xml('select 1', true, true, '') IS NOT NULL);
  CREATE TYPE a_composite AS (x a_domain);
  CREATE TYPE deep AS (y a_composite[]);
  CREATE TYPE a_range AS RANGE (subtype = int_domain);
  CREATE TABLE w (n integer, c a_domain);
  CREATE TABLE arrays (n integer, c a_domain[]);
  CREATE TABLE composites (n integer, c a_composite);
  CREATE TABLE ranges (n integer, c a_range);
  CREATE VIEW w_view AS SELECT n, c FROM w;
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN short AS text CHECK (length(VALUE) < 10 AND VALUE ~ '^[a-z{]*') NOT NULL;
  CREATE DOMAIN one_of AS text CHECK (VALUE IN ('a', 'b', 'ok'));
  CREATE DOMAIN good_mood AS mood CHECK (VALUE <> 'sad'::mood);
  CREATE DOMAIN past AS timestamptz CHECK (VALUE < now());
  CREATE TYPE pair AS (a short, b mood);
  CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
  CREATE TABLE plain (n integer, m mood, s short, p pair, r span, many mood[]);
  CREATE TYPE source AS (n integer);
  CREATE FUNCTION to_number(source) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN DELETE FROM public.victims; RETURN 1; END $$;
  CREATE CAST (source AS integer) WITH FUNCTION to_number(source) AS IMPLICIT;
  CREATE FUNCTION to_json_of(source) RETURNS json LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN DELETE FROM public.victims; RETURN '1'; END $$;
  CREATE CAST (source AS json) WITH FUNCTION to_json_of(source);
  CREATE TABLE sources (s source);
  CREATE TABLE numbers (n integer, d int_domain); INSERT INTO numbers SELECT 1, 3;
  CREATE VIEW rows_view AS SELECT n, c FROM w;
  CREATE MATERIALIZED VIEW rows_kept AS SELECT n, c FROM w;
  CREATE TABLE acc (id integer, owner text); INSERT INTO acc VALUES (1, 'a'), (2, 'b');
  CREATE TABLE acc_child () INHERITS (acc); INSERT INTO acc_child VALUES (3, 'c');
  CREATE TABLE acc2 (id integer, owner text); INSERT INTO acc2 VALUES (1, 'a'), (2, 'b');
  CREATE TABLE others (id integer, owner text); INSERT INTO others VALUES (1, 'a');
  CREATE VIEW acc_view AS SELECT a FROM acc a;
  CREATE FUNCTION acc_plus(acc, acc) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN trap('+'); END $$;
  CREATE OPERATOR + (LEFTARG = acc, RIGHTARG = acc, FUNCTION = acc_plus);
  CREATE FUNCTION acc_int(acc) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM trap('int'); RETURN 1; END $$;
  CREATE CAST (acc AS integer) WITH FUNCTION acc_int(acc) AS IMPLICIT;
  CREATE FUNCTION acc_json(acc) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM trap('json'); RETURN '1'; END $$;
  CREATE CAST (acc AS json) WITH FUNCTION acc_json(acc) AS IMPLICIT;
  CREATE FUNCTION acc_of_text(text) RETURNS acc LANGUAGE plpgsql AS $$ BEGIN PERFORM trap('text'); RETURN NULL; END $$;
  CREATE CAST (text AS acc) WITH FUNCTION acc_of_text(text) AS IMPLICIT;
  CREATE FUNCTION acc_of_acc2(acc2) RETURNS acc LANGUAGE plpgsql AS $$ BEGIN PERFORM trap('acc2'); RETURN NULL; END $$;
  CREATE CAST (acc2 AS acc) WITH FUNCTION acc_of_acc2(acc2) AS IMPLICIT;
  CREATE FUNCTION acc_cmp(acc, acc) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN PERFORM trap('cmp'); RETURN $1.id - $2.id; END $$;
  CREATE FUNCTION acc_is(acc, acc) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN trap('is'); END $$;
  CREATE OPERATOR <  (LEFTARG = acc, RIGHTARG = acc, FUNCTION = acc_is);
  CREATE OPERATOR <= (LEFTARG = acc, RIGHTARG = acc, FUNCTION = acc_is);
  CREATE OPERATOR =  (LEFTARG = acc, RIGHTARG = acc, FUNCTION = acc_is);
  CREATE OPERATOR >= (LEFTARG = acc, RIGHTARG = acc, FUNCTION = acc_is);
  CREATE OPERATOR >  (LEFTARG = acc, RIGHTARG = acc, FUNCTION = acc_is);
  CREATE OPERATOR CLASS acc_ops DEFAULT FOR TYPE acc USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 acc_cmp(acc, acc);
  CREATE FUNCTION says_immutable(integer, integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN trap('i'); END $$;
  CREATE OPERATOR =%= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = says_immutable);
  CREATE FUNCTION says_stable(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN trap('s'); END $$;
  CREATE OPERATOR #~# (RIGHTARG = integer, FUNCTION = says_stable);
  CREATE FUNCTION pad(text, integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN trap($1); END $$;
  CREATE OPERATOR <<| (LEFTARG = text, RIGHTARG = integer, FUNCTION = pad);
  INSERT INTO w SELECT 1, 'x'; REFRESH MATERIALIZED VIEW rows_kept; INSERT INTO arrays SELECT 1, '{x}'; INSERT INTO composites SELECT 1, '(x)';
  INSERT INTO ranges SELECT 1, '[1,2]'; INSERT INTO sources SELECT ROW(1)::source;`

before(async () => {
  await loadStatements()
  instance = await takeInstance('broker-types')
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

/** Statements that run the trap, or would with another value. */
const RUNNING: readonly string[] = [
  // Casts, in each way to write one.
  "select 'x'::a_domain",
  "select cast('x' as a_domain)",
  "select a_domain 'x'",
  "select a_domain('x')",
  "select ('x'::text).a_domain",
  "select public.a_domain('x')",
  "select 'x'::public.a_domain",
  "select 'x'::over_domain",
  "select 'x'::shop.elsewhere",
  "select '{x}'::a_domain[]",
  "select '{x}'::_a_domain",
  "select _a_domain '{x}'",
  "select _a_domain('{x}')",
  "select ('{x}'::text)._a_domain",
  "select array['x']::a_domain[]",
  "select array[]::a_domain[] || array['x'::text]::a_domain[]",
  "select '{x}'::over_array",
  "select '(x)'::a_composite",
  "select row('x')::a_composite",
  "select '{(x)}'::a_composite[]",
  `select '("{(x)}")'::deep`,
  "select '[1,2]'::a_range",
  'select a_range(1, 2)',
  "select '{[1,2]}'::a_multirange",
  "select '(1,x)'::w",
  'select \'{"(1,x)"}\'::w[]',
  'select \'{"(1,x)"}\'::_w',
  'select (\'{"(1,x)"}\'::text)._w',
  "select (null::w).n, 'x'::a_domain is null",
  "select case when true then 'x'::a_domain end",
  "select count(*) filter (where 'x'::a_domain is not null) from w",
  "select 1 order by 'x'::a_domain",
  "values ('x'::a_domain)",
  "with q as (select 'x'::a_domain) select * from q",
  "copy (select 'x'::a_domain) to stdout",
  "explain analyze select 'x'::a_domain",
  // Definitions of columns in FROM, and types that SQL/JSON and XML return.
  `select * from json_to_record('{"a":"x"}') as t(a a_domain)`,
  `select * from jsonb_to_recordset('[{"a":"x"}]') as t(a a_domain)`,
  `select * from rows from (json_to_record('{"a":"x"}') as (a a_domain)) t`,
  `select * from xmltable('/a' passing '<a>x</a>' columns b a_domain path '.')`,
  // Rows of relations, and of records that hold such columns.
  `select json_populate_record(w, '{"c":"y"}') from w`,
  `select json_populate_record(null::w, '{"c":"y"}')`,
  `select jsonb_populate_record(w.*, '{"c":"y"}') from w`,
  `select jsonb_populate_recordset(v, '[{"c":"y"}]') from w_view v`,
  `select json_populate_record(s, '{"c":"y"}') from (select c from w) s`,
  `select jsonb_populate_record(row(c), '{"f1":"y"}') from w`,
  // Literals that are read as the type of the expression beside them.
  "select * from arrays where c = '{y}'",
  "select coalesce(c, '{y}') from arrays",
  "select c || '{y}' from arrays",
  "select c from arrays union all select '{y}'",
  "select case when n = 1 then '{y}' else c end from arrays",
  "select n from ranges where c = '[3,4]'",
  "select n from ranges where c @> '[1,1]'",
  "select coalesce(c, '(y)') from composites",
  "select nullif(c, '{y}') from arrays",
  // Casts of the target, named or not.
  'select s::integer from sources',
  'select s + 1 from sources',
  'select abs(s) from sources',
  'select to_json(s) from sources',
  'select row_to_json(x) from sources x',
  'select json_agg(x) from sources x',
  // Arrays and rows that the query makes of columns.
  "select array[c] = '{y}' from w",
  "select array_agg(c) = '{y}' from w",
  "select array_agg(c) || '{y}' from w",
  "select coalesce(array_agg(c), '{y}') from w",
  "select array(select c from w) = '{y}'",
  "select array_fill(c, array[1]) = '{y}' from w",
  "select array_append(array_agg(c), 'y') from w",
  "select lag(c, 1, 'y') over () from w",
  "select array_position('{y}', c) from w",
  "select width_bucket(d, '{1,5}') from numbers",
  "select array_agg(d) = '{5}' from numbers",
  "select coalesce(array_agg(q.z), '{y}') from (select c as z from w) q",
  "with q as (select c as z from w) select array[z] = '{y}' from q",
  "select array[c] = '{y}' from rows_view",
  "select array[coalesce(c, c)] = '{y}' from rows_kept",
  "select coalesce(w, '(1,y)') from w",
  "select coalesce(w.*, '(1,y)') from w",
  "select coalesce(q.r, '(1,y)') from (select w as r from w) q",
  "select case when n = 1 then w else '(1,y)' end from w",
  "select w from w union all select '(1,y)'",
  "select greatest(w, '(1,y)') from w",
  'select array[w] = \'{"(1,y)"}\' from w',
  "select coalesce(v, '(1,y)') from rows_view v",
  "select coalesce(v, '(1,y)') from rows_kept v",
  "copy (select coalesce(w, '(1,y)') from w) to stdout",
  "declare k cursor with hold for select coalesce(w, '(1,y)') from w",
  "explain select coalesce(w, '(1,y)') from w",
  "prepare r as select coalesce(w, '(1,y)') from w",
  // Casts, operators and functions that take the rows of a table.
  'select a + a from acc a',
  'select a + a from acc_child a',
  'select a.* + a.* from acc a',
  'select a + a from acc_view',
  'select null::acc + null::acc',
  'select abs(a) from acc a',
  'select a * 2 from acc a',
  'select make_date(2000, a, 1) from acc a',
  'select json_typeof(a) from acc a',
  'select to_json(array[a]) from acc a',
  'select 1 from acc a order by a',
  'select distinct a from acc a',
  'select array_agg(a order by a) from acc a',
  'select 1 from acc a where a < a',
  'select 1 from acc a where a between a and a',
  'select 1 from acc a where a = any(select b from acc b)',
  "select 'x'::text::acc",
  'select a::acc from acc2 a',
  // Operators whose functions are declared immutable or stable, and run the trap.
  'select 1 =%= 2',
  'explain select 1 =%= 2',
  'select #~# 1',
  "select 'a'::text <<| 1",
  // PREPARE reads literals too.
  "prepare p as select '{x}'::a_domain[]",
  'prepare q (a_domain) as select $1',
]

/** Operators that say they are immutable, between constants: the planner computes them. */
const FOLDED: readonly string[] = [
  'select 1 =%= 2',
  'select n from others o(n) where 1 =%= 2',
  "select 'a'::text <<| 1",
  'select case when 1 =%= 2 then 1 end, array[1 =%= 3], (select 1 =%= 4)',
]

/** Statements with SQL/JSON, which PostgreSQL has since 17. */
const SINCE_17: readonly string[] = [
  `select json_value('{"a":"x"}', '$.a' returning a_domain)`,
  `select json_query('"x"', '$' returning a_domain omit quotes)`,
  `select * from json_table('[{"a":"x"}]', '$[*]' columns (a a_domain path '$.a')) t`,
  `select jsonb_populate_record_valid(null::w, '{"c":"y"}')`,
]

/** Statements with types of the target that run nothing. */
const PLAIN: readonly string[] = [
  "select 'ok'::mood, mood 'ok', mood('ok'), '{ok}'::mood[], '{ok}'::_mood, ('ok'::text).mood",
  "select 'ok'::short, 'ok'::one_of, 'ok'::good_mood, '2020-01-01'::past",
  "select '(a,ok)'::pair, row('a', 'ok')::pair, '{\"(a,ok)\"}'::pair[]",
  "select '[1,2]'::span, '{[1,2]}'::span_multirange",
  "select * from plain where m = 'ok' and many = '{ok}' and p = '(a,ok)'::pair",
  "select null::plain, json_populate_record(p, '{}') from plain p",
  `select * from json_to_record('{"a":"ok","b":"x"}') as t(a mood, b short)`,
  "select '1'::information_schema.cardinal_number, null::pg_class, 'w'::regclass, '{w}'::regclass[]",
  'select n, c from w',
  "select * from w where c = 'y' or c in ('z', 'a') or coalesce(c, 'n') = 'm'",
  "select c || 'x', lower(c), case c when 'y' then c else 'z' end, c = any('{y}') from w",
  "select nullif(c, 'y'), greatest(c, 'y'), (c, n) = ('y', 1), min(c), count(c) from w group by c, n",
  "select c from w union all select 'y'",
  "select d || '{5}', d + '1', d = any('{5}') from numbers",
  'select n, c from w where n = any(array[1, 2]) order by c',
  'select w.*, x.owner from w join others x on x.id = w.n',
  "select o, array[o], coalesce(o, '(1,b)') from others o order by o",
  'select a.*, id, owner from acc a order by id',
  'select count(*) from arrays',
  'select n from arrays where n = 1',
]

const opaqueIn = (sql: string, parameterTypes: readonly number[] = []): boolean =>
  understand(sql, description, { parameterTypes }).effects.some(
    ({ effect }) => effect === 'opaque' || effect === 'unknown',
  )

/** True if the trap runs with this statement. */
async function ran(sql: string): Promise<boolean> {
  await admin.query('BEGIN; INSERT INTO victims SELECT 1')
  try {
    await admin.query(sql)
    return (await admin.query('SELECT FROM victims')).rows.length === 0
  } finally {
    await admin.query('ROLLBACK; DEALLOCATE ALL')
  }
}

describe('what a type runs', () => {
  for (const sql of [...RUNNING, ...SINCE_17])
    test(`is asked about: ${sql}`, () => assert.ok(opaqueIn(sql)))

  for (const sql of PLAIN)
    test(`is nothing: ${sql}`, async () => {
      assert.equal(opaqueIn(sql), false)
      assert.equal(await ran(sql), false)
    })

  test('happens when the statement is prepared only where that is known', async () => {
    const version = await admin.query<{ n: number }>(
      "SELECT current_setting('server_version_num')::int AS n",
    )
    const known = (version.rows[0]?.n ?? 0) >= 170_000 ? [...RUNNING, ...SINCE_17] : RUNNING
    let trapped = 0
    for (const sql of known) {
      if (/^(copy|explain|prepare|declare)/.test(sql)) continue
      if (await ran(sql)) trapped++
      if (!(await ran(`PREPARE of_test AS ${sql}`))) continue
      assert.ok(understand(sql, description).runsWhenPrepared, sql)
    }
    // The examples are no examples when they run nothing.
    assert.ok(trapped > 85, `only ${trapped} ran the trap`)
  })

  test('happens when it is planned, not when it is prepared, where an operator alone does it', async () => {
    for (const sql of FOLDED) {
      assert.ok(opaqueIn(sql), sql)
      assert.equal(await ran(`PREPARE of_test AS ${sql}`), false, sql)
      assert.equal(await ran(`EXPLAIN ${sql}`), true, sql)
    }
  })

  test('is known of the type of a parameter', async () => {
    const { rows } = await admin.query<{ oid: number; name: string }>(
      "SELECT oid::int8::int4 AS oid, typname AS name FROM pg_type WHERE typnamespace = 'public'::regnamespace",
    )
    const oidOf = (name: string): number => rows.find((row) => row.name === name)?.oid ?? 0
    for (const name of [
      'a_domain',
      '_a_domain',
      'over_domain',
      'over_array',
      'a_composite',
      'deep',
      'a_range',
      'a_multirange',
      'w',
      '_w',
      'hidden',
    ])
      assert.ok(opaqueIn('select $1', [oidOf(name)]), name)
    for (const name of ['mood', '_mood', 'short', 'one_of', 'good_mood', 'pair', 'span', '_span'])
      assert.equal(opaqueIn('select $1', [oidOf(name)]), false, name)
    for (const oid of [0, 23, 25, 1009, 3904]) assert.equal(opaqueIn('select $1', [oid]), false)
  })
})
