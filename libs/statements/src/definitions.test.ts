// Seen to fail when a word behind a storage parameter counts as the name of a type.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { EMPTY_CATALOG, loadStatements, understand } from './index.ts'

before(loadStatements)

/** Texts that tools for migrations and dumps write: none of them runs code that the text does not show. */
const DEFINITIONS: readonly string[] = [
  'create index i on t using gin (a) with (fastupdate = off)',
  'create index i on t (a) with (fillfactor = 70)',
  'create index i on t (a) with (deduplicate_items = off)',
  'create index i on t (a) with (deduplicate_items = false)',
  'create index i on t using gist (a) with (buffering = auto)',
  'create index i on t using brin (a) with (autosummarize = on)',
  'create index i on t using hnsw (v vector_l2_ops) with (m = 16)',
  'create index i on t (a collate "C" text_pattern_ops desc nulls last)',
  'create table t (a int) with (autovacuum_enabled = off)',
  'create table t (a int) with (autovacuum_enabled = false)',
  'create table t (a int) with (fillfactor = 70, toast.autovacuum_enabled = off)',
  'create table t (a int primary key with (fillfactor = 50))',
  'create table t (a int, exclude using gist (a with =))',
  'create table t with (autovacuum_enabled = off) as select 1',
  'create view v with (security_invoker = on) as select 1',
  'create view v with (security_barrier = true, check_option = local) as select 1',
  'create materialized view v with (autovacuum_enabled = off) as select 1',
  'alter table t set (autovacuum_enabled = off)',
  'alter table t set (fillfactor = 50)',
  'alter table t alter a set (n_distinct = 5)',
  'alter index i set (fastupdate = off)',
  'alter view v set (security_invoker = on)',
  'vacuum (index_cleanup off, truncate off) t',
  'vacuum (analyze on) t',
  'explain (analyze off, format text) select 1',
  'explain (analyze, buffers off, timing off, format yaml) select 1',
  'copy t from stdin (format csv, header match, force_null (a))',
  "copy t to stdout with (format csv, header on, delimiter ';')",
  'copy t from stdin with csv header',
  'reindex (verbose off) table t',
  'cluster (verbose) t',
  'create sequence s as bigint',
  'create sequence s as smallint increment by 2 no cycle',
  'alter sequence s as integer',
  'create type r as range (subtype = float8, subtype_diff = float8mi)',
  "create type m as enum ('a')",
  'create type b (input = f, output = g, like = int4)',
  "create aggregate g (int) (sfunc = int4pl, stype = int4, initcond = '0')",
  'create operator @@ (leftarg = int, rightarg = int, procedure = f, commutator = @@, hashes)',
  "create collation c (provider = icu, locale = 'de', deterministic = off)",
  'create collation c from "C"',
  'create text search configuration c (copy = pg_catalog.english)',
  'create text search dictionary d (template = snowball, language = english)',
  'create statistics s (ndistinct, mcv) on a, b from t',
  'create statistics s on (lower(a)), b from t',
  "create function f(a int, out b text, variadic c int[]) returns record language sql stable parallel safe cost 10 as 'select 1'",
  "create function f(a int default 5) returns setof t language sql as 'select 1'",
  "create function f() returns table (a int) language sql as 'select 1'",
  "create function f(anyelement) returns anyelement language sql as 'select $1'",
  "create procedure p(inout a int) language plpgsql as ''",
  'create trigger x after update of a on t referencing old table as o new table as n for each statement when (pg_trigger_depth() = 0) execute function f()',
  "create table t (id bigint generated always as identity (start with 10), b text generated always as (lower('x')) stored)",
  'create table t (id serial, b bigserial, c smallserial, d uuid default gen_random_uuid(), e timestamptz default now(), f jsonb default \'{}\'::jsonb, g citext, h numeric(10,2)[], i text collate "C", j tsvector, k inet, l int4range, m interval day to second, n bit varying(5), o char(3), p double precision, q money, r xml)',
  'create table t (a int) partition by range (a)',
  'create table p partition of t for values from (1) to (10)',
  'create table p partition of t for values from (minvalue) to (maxvalue)',
  'create table p partition of t default',
  'create table p partition of t for values with (modulus 4, remainder 0)',
  "create table t (a text, check (a ~ '^x' and length(a) < 5))",
  'create table t (a int, unique nulls not distinct (a))',
  'create table t (a int, foreign key (a) references u (b) on delete set null (a) deferrable initially deferred)',
  'create table t (like u including all excluding indexes)',
  'create unlogged table t (a int) tablespace x',
  'create table t (a int) using heap',
  'alter table t add column a int default 5 not null check (a > 0)',
  'alter table t add constraint c foreign key (a) references u (id) not valid',
  'alter table t add constraint c primary key using index i',
  'alter table t alter a type int using a::int',
  'alter table t alter a type numeric(10,2) using (a / 100.0)',
  "alter table t alter a set default nextval('s')",
  'alter table t alter a set compression lz4',
  'alter table t alter a set data type citext',
  'alter table t set schema s',
  "alter type m add value if not exists 'x' before 'y'",
  "create domain d as varchar(10) default 'x' constraint c check (value <> '')",
  "comment on table t is 'x'",
  'create extension if not exists "uuid-ossp"',
  'create extension pgcrypto with schema public',
  "create policy p on t using (a = current_setting('x.y'))",
  'grant select on t to ana',
  'create rule r as on insert to t do instead nothing',
  'create event trigger e on ddl_command_end execute function f()',
  'create publication p for table t where (a > 1)',
  "set local lock_timeout = '5s'",
  'set check_function_bodies = false',
  "insert into schema_migrations (version) values ('1') returning version",
  'create index i on t using gin (a gin_trgm_ops) with (fastupdate = on, gin_pending_list_limit = 64)',
  'create table t (a int) with (vacuum_index_cleanup = auto, toast.vacuum_truncate = off)',
  'create table t (a int generated by default as identity (sequence name s as smallint cache 5))',
  'alter table t alter a add generated always as identity (as bigint start 5)',
  'alter table t add constraint c unique (a) with (deduplicate_items = off)',
  'alter materialized view v set (autovacuum_enabled = off)',
  'alter table t reset (autovacuum_enabled, toast.autovacuum_enabled)',
  'alter view v set (security_barrier = off)',
  'create index i on t using gist (a gist_ops (siglen = none))',
]

for (const sql of DEFINITIONS)
  test(`is known whole: ${sql}`, () => {
    const found = understand(sql, EMPTY_CATALOG).effects.filter(({ effect }) => RUNNING.has(effect))
    assert.deepEqual(found, [])
  })

/** The same places with code or types in them that are of somebody else. */
const OPAQUE: readonly string[] = [
  'create index i on t (lower(a), f(b)) with (fastupdate = off)',
  'create index i on t (a) with (fastupdate = off) where f(a)',
  'create table t (a int default f()) with (autovacuum_enabled = off)',
  'create table t (a text check (a::kind is null)) with (autovacuum_enabled = off)',
  'alter table t set (autovacuum_enabled = off), alter a type int using f(a)',
]

for (const sql of OPAQUE)
  test(`is not known whole: ${sql}`, () => {
    const found = understand(sql, EMPTY_CATALOG, {}).effects
    assert.ok(found.some(({ effect }) => RUNNING.has(effect)))
  })

const RUNNING: ReadonlySet<string> = new Set(['opaque', 'unknown', 'program'])
