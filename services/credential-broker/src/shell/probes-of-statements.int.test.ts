// Each statement is run at PostgreSQL itself, which says if it can, and with which SQLSTATE it fails otherwise.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import {
  type Instance,
  postgresForTests,
  type PostgresForTests,
  takeInstance,
} from '@countersign/local'
import {
  isImpossible,
  loadStatements,
  nameProbesOf,
  obstaclesOf,
  type Probe,
  probesOf,
} from '@countersign/statements'

let instance: Instance
let postgres: PostgresForTests
let admin: pg.Client

const SCHEMA = `
  CREATE ROLE ana; CREATE ROLE bob; CREATE ROLE "select";
  CREATE SCHEMA shop; CREATE SCHEMA spare;
  CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a integer, b mood); CREATE TYPE shell;
  CREATE TYPE "Odd Type" AS ENUM ('x'); CREATE TYPE "order" AS ENUM ('x');
  CREATE DOMAIN short AS text CONSTRAINT is_short CHECK (length(VALUE) < 10);
  CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
  CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql AS 'select $1 * 2';
  CREATE FUNCTION twice(text) RETURNS text LANGUAGE sql AS 'select $1 || $1';
  CREATE PROCEDURE work() LANGUAGE sql AS 'select 1';
  CREATE FUNCTION told() RETURNS event_trigger LANGUAGE plpgsql AS 'begin end';
  CREATE AGGREGATE total(integer) (sfunc = int4pl, stype = integer);
  CREATE TABLE shop.orders (id integer PRIMARY KEY, note text, placed date, p pair);
  CREATE TABLE lines (id serial PRIMARY KEY, order_id integer REFERENCES shop.orders, amount integer UNIQUE);
  CREATE TABLE parts (id integer, at date) PARTITION BY RANGE (at);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
  CREATE TABLE parts_2 (id integer, at date);
  CREATE TABLE "it's" (a integer);
  CREATE INDEX lines_amount ON lines (amount);
  CREATE INDEX lines_twice ON lines (abs(amount));
  CREATE VIEW shown AS SELECT id, note FROM shop.orders;
  CREATE MATERIALIZED VIEW kept AS SELECT id FROM shop.orders;
  CREATE SEQUENCE counter; CREATE FOREIGN DATA WRAPPER away; CREATE SERVER far FOREIGN DATA WRAPPER away;
  CREATE TRIGGER stamped BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.stamp();
  CREATE RULE quiet AS ON DELETE TO lines DO INSTEAD NOTHING;
  CREATE POLICY mine ON lines USING (true);
  CREATE STATISTICS many ON id, note FROM shop.orders;
  CREATE COLLATION plain FROM "C";
  CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION told();
  CREATE PUBLICATION news FOR TABLE lines;
  ALTER TABLE lines ADD CONSTRAINT positive CHECK (amount > 0);
`

before(async () => {
  await loadStatements()
  instance = await takeInstance('probes')
  postgres = await postgresForTests({ dir: instance.dir, port: instance.ports.postgres })
  admin = new pg.Client({ connectionString: postgres.adminUrl })
  await admin.connect()
  await admin.query(SCHEMA)
})

after(async () => {
  await admin.end()
  await postgres.stop()
  await instance.release()
})

/** Statements that PostgreSQL runs, and that a careless look for names would refuse. */
const RUNS: readonly string[] = [
  'create table t (id serial, big bigserial, small smallserial, a text, b mood, c mood[], d "Odd Type", e "order")',
  'create table if not exists shop.orders (a nosuch, b nosuch references nosuch)',
  'create table node (id integer primary key, parent integer references node)',
  'create table shop.node (id integer primary key, parent integer references shop.node (id))',
  'create table t (like shop.orders including all)',
  'create table t () inherits (shop.orders)',
  "create table parts_3 partition of parts for values from ('2026-03-01') to ('2026-04-01')",
  'create table t (m mood default mood($$sad$$), n integer default twice(2), p pair)',
  'create table t (a integer check (twice(a) > 0), b text generated always as (lower(c)) stored, c text)',
  'create temp table orders (a integer)',
  'create table pg_temp.t (a integer)',
  'create unlogged table t (a char, b "char", c bit(3), d varchar(3), e numeric(3, 1), f interval day, g timestamp (3) with time zone)',
  'create table t (a shop.orders, b lines)',
  'create table t of pair',
  'create foreign table t (a mood) server far',
  'create foreign table if not exists lines (a nosuch) server nosuch',
  'create view v as select * from shop.orders',
  'create view v as with nosuch as (select 1 as a) select a from nosuch',
  'create view v (a, b) with (security_barrier) as select id, note as "as" from shop.orders where id > 0 with cascaded check option',
  'create or replace view shown as select id, note from shop.orders',
  'create temporary view orders as select 1 as "with"',
  'create recursive view v (n) as values (1) union all select n + 1 from v where n < 9',
  'create view v as select (s.p).a, a(s.p) as other from (select p from shop.orders) as s',
  'create materialized view m as select id from shop.orders with no data',
  'create index on shop.orders (note, lower(note)) include (placed)',
  'create index if not exists lines_amount on lines (amount)',
  'create unique index i on lines (amount desc nulls last) where amount > 1',
  'create sequence s as integer owned by lines.id',
  'create sequence if not exists counter',
  'create type t as (a mood, b shop.orders)',
  "create type shop.t as enum ('a')",
  'create domain d as mood not null',
  'create domain d as integer check (twice(value) > 0)',
  'create schema s authorization ana create table t (a integer) create view v as select a from t',
  'create schema if not exists shop authorization ana',
  'create role r in role ana role bob',
  'create group g user ana',
  'create function f(a integer, b mood default $$ok$$) returns setof shop.orders language sql as $$select * from shop.orders$$',
  'create function f(a shop.orders.id%type) returns lines.amount%type language sql as $$select 1$$',
  'create function f() returns table (a integer, b mood) language sql as $$select 1, null::mood$$',
  'create function shell_in(cstring) returns shell language internal as $$textin$$ strict immutable',
  'create function shell_out(shell) returns cstring language internal as $$textout$$ strict immutable',
  'create function n_in(cstring) returns nosuch language internal as $$textin$$ strict immutable',
  'create function f(a integer) returns integer return twice(a)',
  'create or replace function twice(integer) returns integer language sql as $$select 1$$',
  'create procedure p(inout a integer) language sql as $$select 1$$',
  'create trigger t before update of note on shop.orders for each row when (old.note is distinct from new.note) execute function shop.stamp()',
  'create trigger t after insert on lines referencing new table as fresh for each statement execute function shop.stamp()',
  'create rule r as on insert to lines do also insert into shop.orders (id) values (new.order_id)',
  'create rule r as on update to lines do also notify nosuch',
  'create policy p on lines to public, current_user using (amount > (select count(*) from shop.orders))',
  'create statistics on id, note from shop.orders',
  'alter table shop.orders add column x integer, alter column x set not null, add unique (x), drop column placed',
  'alter table shop.orders add column if not exists note nosuch',
  'alter table shop.orders drop column if exists nosuch, drop constraint if exists nosuch',
  'alter table if exists nosuch add column x nosuch',
  'alter table lines add constraint k foreign key (order_id) references shop.orders (id)',
  'alter table lines add column parent integer references lines, add foreign key (parent) references lines (id)',
  'alter table lines add column code integer unique, add column other integer, add foreign key (other) references lines (code)',
  'alter table lines drop constraint positive, alter column amount type bigint using amount::bigint',
  'alter table lines alter column amount type integer using (twice(amount))',
  "alter table parts attach partition parts_2 for values from ('2026-05-01') to ('2026-06-01')",
  'alter table parts detach partition parts_1',
  'alter table lines enable row level security, owner to ana, disable trigger all',
  'alter table shop.orders disable trigger stamped',
  'alter table lines disable rule quiet',
  'alter table lines_amount rename to other',
  'alter table shown rename to other',
  'alter table counter rename to other',
  'alter index lines_amount rename to other',
  'alter index lines_amount set (fillfactor = 70)',
  'alter index lines_twice alter column 1 set statistics 10',
  'alter index if exists nosuch rename to other',
  'alter view shown alter column note set default $$x$$',
  'alter view shown rename column note to noted',
  'alter view shown set schema spare',
  'alter materialized view kept rename to other',
  'alter sequence counter restart owned by none',
  'alter sequence lines_id_seq as bigint',
  'alter sequence if exists nosuch restart',
  'alter table shop.orders rename column note to noted',
  'alter table lines rename constraint positive to strictly',
  'alter table lines set schema spare',
  'alter table lines cluster on lines_amount',
  'alter type pair add attribute c integer',
  'alter type pair rename attribute a to c',
  'alter type pair drop attribute if exists nosuch',
  "alter type mood add value if not exists 'ok'",
  'alter type mood rename to moods',
  'alter type mood owner to ana',
  'alter type mood set schema shop',
  'alter domain short drop constraint is_short',
  'alter domain short rename constraint is_short to other',
  'alter domain short set default $$x$$',
  'alter function twice(integer) rename to thrice',
  'alter function twice(integer) owner to bob',
  'alter function shop.stamp set schema spare',
  'alter function shop.stamp() stable',
  'alter procedure work() rename to works',
  'alter routine work() security definer',
  'alter aggregate total(integer) owner to ana',
  'alter function shop.stamp() depends on extension plpgsql',
  'alter trigger stamped on shop.orders rename to marked',
  'alter rule quiet on lines rename to loud',
  'alter policy mine on lines to bob using (true)',
  'alter policy mine on lines rename to ours',
  'alter role ana rename to eve',
  'alter role ana set search_path = nosuch',
  'alter role ana in database postgres set timezone = $$UTC$$',
  'alter role all set timezone = $$UTC$$',
  'alter group ana add user bob',
  'alter role current_user valid until $$infinity$$',
  'alter schema shop rename to shops',
  'alter schema shop owner to current_role',
  'alter default privileges for role ana in schema shop grant select on tables to bob, public',
  'alter extension plpgsql add function twice(integer)',
  'alter statistics many set statistics 10',
  'alter collation plain rename to plainer',
  'alter event trigger watch disable',
  'alter publication news rename to olds',
  `drop table lines, "it's"`,
  'drop table if exists nosuch, nosuch.nosuch',
  'drop view shown',
  'drop materialized view kept',
  'drop index lines_amount',
  'drop sequence counter',
  'drop sequence if exists nosuch',
  'drop type shell',
  'drop type "Odd Type", "order"',
  'drop type if exists nosuch',
  'drop domain short',
  'drop function twice(integer), twice(text)',
  'drop function if exists nosuch(nosuch), nosuch.f()',
  'drop function shop.stamp cascade',
  'drop procedure work',
  'drop aggregate total(integer)',
  'drop routine work()',
  'drop schema spare',
  'drop schema if exists nosuch cascade',
  'drop trigger stamped on shop.orders',
  'drop trigger if exists nosuch on nosuch',
  'drop rule quiet on lines',
  'drop policy mine on lines',
  'drop policy if exists nosuch on nosuch',
  'drop role "select"',
  'drop role if exists nosuch',
  'drop extension if exists nosuch',
  'drop extension plpgsql cascade',
  'drop statistics many',
  'drop collation plain',
  'drop event trigger watch',
  'drop publication news',
  'drop cast if exists (nosuch as integer)',
  'drop operator if exists + (nosuch, nosuch)',
  'drop owned by ana',
  'reassign owned by ana to bob',
  "comment on table lines is 'x'",
  "comment on column shop.orders.note is 'x'",
  "comment on column pair.a is 'x'",
  "comment on column shown.note is 'x'",
  "comment on index lines_amount is 'x'",
  "comment on view shown is 'x'",
  "comment on schema shop is 'x'",
  "comment on type mood is 'x'",
  "comment on type shell is 'x'",
  "comment on domain short is 'x'",
  "comment on function twice(integer) is 'x'",
  "comment on aggregate total(integer) is 'x'",
  "comment on trigger stamped on shop.orders is 'x'",
  "comment on constraint positive on lines is 'x'",
  "comment on constraint is_short on domain short is 'x'",
  "comment on policy mine on lines is 'x'",
  "comment on role ana is 'x'",
  "comment on database nosuch is 'x'",
  "comment on extension plpgsql is 'x'",
  'comment on cast (integer as bigint) is null',
  'grant select (id), update (note) on shop.orders to ana, public',
  'grant usage on schema shop, public to current_user',
  'grant usage on type mood, "Odd Type" to ana',
  'grant usage on sequence counter to ana',
  'grant all on all tables in schema shop to ana',
  'grant execute on function twice(integer) to ana',
  'grant execute on all functions in schema shop to ana',
  'grant usage on language plpgsql to ana',
  'grant connect on database postgres to ana',
  'grant "select" to bob',
  'grant ana to bob with admin option',
  'revoke all on lines from ana',
  'truncate shop.orders, lines',
  'truncate only lines restart identity cascade',
  'lock table lines, shop.orders in share mode',
  'refresh materialized view kept',
  'cluster lines using lines_amount',
  'reindex table lines',
  'reindex index lines_amount',
  'reindex schema shop',
  'copy shop.orders (id, note) to $$/dev/null$$',
  'vacuum lines',
  'vacuum (analyze) lines (amount), shop.orders',
  'copy (select id from shop.orders) to $$/dev/null$$',
  'prepare p as select * from shop.orders where id = $1',
  'prepare p (mood, pair) as select $1, $2',
  'prepare p as insert into lines (amount) values ($1)',
]

/** Statements that a careless look for taken names and wrong kinds would refuse. */
const UNSTOPPED: readonly string[] = [
  'create table shop.lines (id integer)',
  'create table spare.orders (id integer)',
  'create table pg_temp.lines (id integer)',
  'create table t (id integer, "ID" integer) inherits (shop.orders)',
  'create table if not exists shop.orders (id integer, id integer)',
  'create table t of pair (a not null)',
  'create temp table lines (id integer)',
  'create table if not exists shop.orders (id integer)',
  'create table if not exists shop.orders as select 1 as a',
  'create materialized view if not exists public.kept as select 1 as a',
  'create table public._lines (id integer)',
  'create type public._lines as (a integer)',
  "create type public._mood as enum ('a')",
  'create domain public._mood as text',
  'create type public.fresh as (a integer)',
  "create type public.shell as enum ('a')",
  "create type public.counter as enum ('a')",
  'create domain public.lines_amount as text',
  'create or replace view public.shown as select id, note from shop.orders',
  'create sequence if not exists public.counter',
  'create index if not exists lines_amount on public.lines (amount)',
  'create index lines_amount on shop.orders (id)',
  'create index on public.lines (amount)',
  'create schema if not exists shop',
  'create schema authorization ana',
  'alter table shop.orders add column if not exists note text',
  'alter table shop.orders drop column placed, add column placed text',
  'alter table shop.orders add column placed text, drop column placed',
  'alter table parts_2 add column amount integer',
  'alter table if exists nosuch add column a integer',
  'drop table parts',
  'drop table if exists nosuch',
  'drop sequence lines_id_seq cascade',
  'truncate parts, lines',
  'drop table lines; create table public.lines (id integer)',
  'drop table shop.orders cascade; create table shop.orders (id integer)',
  'alter table shop.orders rename to sold; create table shop.orders (id integer)',
  'drop schema spare; create schema spare',
  'alter schema spare rename to other; create schema spare',
  'drop type public."order"; create type public."order" as enum (\'a\')',
  'alter table lines drop column amount; alter table lines add column amount text',
  'alter table shop.orders rename column note to noted; alter table shop.orders add column note text',
  'drop view shown; create table shown (id integer); drop table shown',
  'drop view public.shown; create materialized view public.shown as select 1 as a; refresh materialized view shown',
  'do $$ begin drop table lines; end $$; create table public.lines (id integer)',
  'drop index lines_amount; create index lines_amount on public.lines (amount)',
]

/** Statements that fail for want of a name. */
const FAILS: readonly string[] = [
  'create table t (a nosuch)',
  'create table t (a nosuch[])',
  'create table t (a nosuch.x)',
  'create table nosuch.t (a integer)',
  'create table t (a integer references nosuch)',
  'create table t (a integer, foreign key (a) references nosuch (id))',
  'create table t (like nosuch)',
  'create table t () inherits (nosuch)',
  'create table t partition of nosuch for values in (1)',
  'create table t (a integer default nosuch(1))',
  'create table t of nosuch',
  'create foreign table t (a nosuch) server far',
  'create foreign table t (a integer) server nosuch',
  'create view v as select * from nosuch',
  'create view v as select nosuch from shop.orders',
  'create view v as select id::nosuch from shop.orders with check option',
  'create view nosuch.v as select 1 as a',
  'create recursive view v (n) as select id from nosuch union all select n from v',
  'create index on nosuch (a)',
  'create index on shop.orders (nosuch)',
  'create sequence nosuch.s',
  'create type c as (a nosuch)',
  "create type nosuch.c as enum ('a')",
  'create domain d as nosuch',
  'create domain nosuch.d as integer',
  'create schema s authorization nosuch',
  'create role r in role nosuch',
  'create function f() returns nosuch language sql as $$select 1$$',
  'create function f(nosuch) returns integer language sql as $$select 1$$',
  'create function f() returns integer return nosuch(1)',
  'create function nosuch.f() returns integer language sql as $$select 1$$',
  'create trigger t before insert on nosuch for each row execute function shop.stamp()',
  'create trigger t before insert on lines for each row execute function nosuch()',
  'create trigger t before insert on lines for each row execute function nosuch.f()',
  'create trigger t before update of nosuch on lines for each row execute function shop.stamp()',
  'create rule r as on insert to nosuch do nothing',
  'create rule r as on insert to lines do also delete from nosuch',
  'create policy p on nosuch using (true)',
  'create policy p on lines to nosuch using (true)',
  'create policy p on lines using (exists (select from nosuch))',
  'create statistics on a, b from nosuch',
  'alter table nosuch add column x integer',
  'alter table nosuch.t add column x integer',
  'alter table lines add column x nosuch',
  'alter table lines alter column amount type nosuch',
  'alter table lines drop column nosuch',
  'alter table lines alter column nosuch set not null',
  'alter table lines alter column nosuch set default 1',
  'alter table lines add unique (nosuch)',
  'alter table lines add foreign key (amount) references nosuch',
  'alter table lines add foreign key (nosuch) references shop.orders',
  'alter table lines add foreign key (amount) references shop.orders (nosuch)',
  'alter table lines drop constraint nosuch',
  'alter table lines enable trigger nosuch',
  'alter table lines enable rule nosuch',
  'alter table lines owner to nosuch',
  'alter table lines inherit nosuch',
  'alter table lines set schema nosuch',
  'alter table nosuch set schema shop',
  'alter table nosuch rename to other',
  'alter table lines rename column nosuch to other',
  'alter table lines rename constraint nosuch to other',
  "alter table parts attach partition nosuch for values from ('2027-01-01') to ('2027-02-01')",
  'alter table parts detach partition nosuch',
  'alter index nosuch rename to other',
  'alter view nosuch rename to other',
  'alter sequence nosuch restart',
  'alter type nosuch rename to other',
  'alter type nosuch add attribute a integer',
  "alter type nosuch add value 'x'",
  'alter type pair add attribute c nosuch',
  'alter type pair drop attribute nosuch',
  'alter type pair rename attribute nosuch to c',
  'alter type mood set schema nosuch',
  'alter domain nosuch set not null',
  'alter domain nosuch rename constraint a to b',
  'alter function nosuch() rename to other',
  'alter function nosuch() stable',
  'alter function twice(integer) set schema nosuch',
  'alter function twice(integer) owner to nosuch',
  'alter trigger nosuch on lines rename to other',
  'alter rule nosuch on lines rename to other',
  'alter policy nosuch on lines using (true)',
  'alter role nosuch rename to other',
  'alter role nosuch login',
  'alter role nosuch set timezone = $$UTC$$',
  'alter schema nosuch rename to other',
  'alter schema nosuch owner to ana',
  'alter default privileges for role nosuch grant select on tables to ana',
  'alter default privileges in schema nosuch grant select on tables to ana',
  'alter default privileges grant select on tables to nosuch',
  'alter extension nosuch update',
  'alter statistics nosuch set statistics 10',
  'alter event trigger nosuch disable',
  'drop table nosuch',
  'drop table nosuch.t',
  'drop view nosuch',
  'drop index nosuch',
  'drop sequence nosuch',
  'drop materialized view nosuch',
  'drop type nosuch',
  'drop type nosuch.t',
  'drop domain nosuch',
  'drop function nosuch',
  'drop function nosuch(integer)',
  'drop function nosuch.f()',
  'drop function twice(nosuch)',
  'drop procedure nosuch',
  'drop aggregate nosuch(integer)',
  'drop schema nosuch',
  'drop trigger nosuch on lines',
  'drop trigger stamped on nosuch',
  'drop rule nosuch on lines',
  'drop policy nosuch on lines',
  'drop policy mine on nosuch',
  'drop role nosuch',
  'drop extension nosuch',
  'drop language nosuch',
  'drop server nosuch',
  'drop foreign data wrapper nosuch',
  'drop event trigger nosuch',
  'drop publication nosuch',
  'drop collation nosuch',
  'drop statistics nosuch',
  'drop text search configuration nosuch',
  'drop cast (nosuch as integer)',
  'drop owned by nosuch',
  'reassign owned by ana to nosuch',
  "comment on table nosuch is 'x'",
  "comment on view nosuch is 'x'",
  "comment on column lines.nosuch is 'x'",
  "comment on schema nosuch is 'x'",
  "comment on type nosuch is 'x'",
  "comment on function nosuch() is 'x'",
  "comment on trigger nosuch on lines is 'x'",
  "comment on constraint nosuch on lines is 'x'",
  "comment on constraint a on domain nosuch is 'x'",
  "comment on role nosuch is 'x'",
  "comment on extension nosuch is 'x'",
  'grant select on nosuch to ana',
  'grant select on lines to nosuch',
  'grant select (nosuch) on lines to ana',
  'grant usage on schema nosuch to ana',
  'grant usage on type nosuch to ana',
  'grant usage on language nosuch to ana',
  'grant execute on function nosuch() to ana',
  'grant all on all tables in schema nosuch to ana',
  'grant nosuch to ana',
  'grant ana to nosuch',
  'revoke select on lines from nosuch',
  'truncate nosuch',
  'truncate nosuch.t',
  'lock table nosuch',
  'refresh materialized view nosuch',
  'cluster nosuch',
  'reindex table nosuch',
  'reindex index nosuch',
  'reindex schema nosuch',
  'vacuum nosuch',
  'vacuum nosuch.t',
  'analyze lines (nosuch)',
  'copy nosuch to $$/dev/null$$',
  'copy lines (nosuch) to $$/dev/null$$',
  'prepare p as delete from nosuch',
  'prepare p as select nosuch from lines',
  'prepare p (nosuch) as select $1',
  'prepare p (integer) as delete from nosuch where a = $1',
]

/** Statements that fail since a name is taken, or an object is of another kind. */
const STOPPED: readonly string[] = [
  'create table shop.orders (id integer)',
  'create table shop.orders (like lines)',
  'create table t (id integer, note text, id integer)',
  'create table t (id integer, "ID" text, Id integer) inherits (shop.orders)',
  'create foreign table t (a integer, a integer) server far',
  'create table shop.orders partition of parts default',
  'create unlogged table shop.orders ()',
  'create foreign table shop.orders (a integer) server far',
  'create table shop.orders as select 1 as a',
  'create materialized view shop.orders as select 1 as a',
  'create table public.shown (id integer)',
  'create table public.kept (id integer)',
  'create table public.counter (id integer)',
  'create table public.lines_amount (id integer)',
  `create table public."it's" ()`,
  'create view shop.orders as select 1 as a',
  'create view public.shown as select 1 as a',
  'create or replace view shop.orders as select 1 as a',
  'create or replace view public.kept as select 1 as a',
  'create sequence public.counter',
  'create sequence shop.orders',
  'create index lines_amount on public.lines (amount)',
  'create index orders on shop.orders (note)',
  "create type public.mood as enum ('a')",
  "create type shop.orders as enum ('a')",
  'create type public.pair as (a integer)',
  'create type public.lines as (a integer)',
  'create domain public.short as text',
  'create domain public."Odd Type" as text',
  'create schema shop',
  'create schema shop authorization ana',
  'create schema spare create table t (a integer)',
  'alter table shop.orders add column note text',
  'alter table lines add column extra integer, add column amount text',
  'alter table lines add amount text',
  'alter table parts add column at date',
  'drop view shop.orders',
  'drop table shown',
  'drop table lines, kept',
  'drop table counter',
  'drop table lines_amount',
  'drop table pair',
  'drop materialized view shown',
  'drop view kept',
  'drop sequence lines',
  'drop index lines',
  'drop index parts',
  'drop foreign table lines',
  'drop view "it\'s"',
  'truncate shown',
  'truncate lines, public.kept',
  'truncate counter',
  'refresh materialized view shown',
  'refresh materialized view concurrently counter',
]

/** Texts of several statements, of which a later one needs what an earlier one makes. */
const RUN_TOGETHER: readonly string[] = [
  'create table t (id serial); insert into t default values; alter sequence t_id_seq restart',
  'create table t (id serial primary key); alter index t_pkey rename to x; drop sequence t_id_seq cascade',
  'create table t (nosuch integer); select nosuch(t) from t; select a::t, b::t[], c::_t from (select null as a, null as b, null as c) as s',
  'alter table parts add column extra integer; update parts_1 set extra = 1; comment on column parts_1.extra is $$x$$',
  'alter table lines rename to rows; delete from rows',
  'alter table lines rename amount to number; update lines set number = 1',
  'create schema fresh; create table fresh.t (a mood); comment on column fresh.t.a is $$x$$; drop schema fresh cascade',
  'drop table lines; create table lines (other text); update lines set other = null',
  'create type m as enum ($$a$$); create table t (a m default m($$a$$)); alter type m add value $$b$$',
  'create function g() returns trigger language plpgsql as $$begin return new; end$$; create trigger g before insert on lines for each row execute function g(); alter table lines disable trigger g',
  'set local search_path = shop; update orders set note = null; drop view if exists x; alter table orders drop column note cascade',
  'alter schema shop rename to sold; update sold.orders set note = null',
  'alter table lines set schema spare; drop table spare.lines',
  'create role eve; grant ana to eve; alter role eve login; grant select on lines to eve',
  'select 1 as a into fresh; drop table fresh',
  'do $$begin create table made (); end$$; drop table made',
  'savepoint a; drop table lines; rollback to a; delete from lines',
  'create table t (a integer); create view v as select a from t; comment on view v is $$x$$; select a from v',
  'create type base; create function base_in(cstring) returns base language internal as $$textin$$ strict immutable; create function base_out(base) returns cstring language internal as $$textout$$ strict immutable; drop type base cascade',
  'create domain d as integer; create function f(d) returns d language sql as $$select $1$$; select f(1)',
  `create table ${'long'.repeat(15)} (id serial primary key); comment on index ${'long'.repeat(14)}lo_pkey is null`,
  'begin; update lines set amount = 1; savepoint a; delete from lines; release a',
]

/** Texts of several statements, of which a later one fails for want of a name. */
const FAIL_TOGETHER: readonly string[] = [
  'select 1; update nosuch set a = 1',
  'select 1; update lines set nosuch = 1',
  'begin; set local lock_timeout = 100; update lines set nosuch = 1',
  'update lines set amount = 1; delete from nosuch',
  'lock table lines; drop schema nosuch',
  'create table t (a integer); drop table nosuch',
  'create table t (a integer); create view v as select * from nosuch',
  'create table t (a integer); alter table t add column b nosuch',
  'create table t (a integer); grant select on t to nosuch',
  'alter table lines add column x integer; delete from nosuch',
  'drop table parts; delete from nosuch',
]

describe('PostgreSQL runs it, and no probe fails', () => {
  for (const sql of [...RUNS, ...UNSTOPPED, ...RUN_TOGETHER])
    test(sql, async () => {
      assert.equal(await stateOf(sql), null)
      assert.equal(await refusedWith(probesOf(sql)), null)
      assert.equal(await refusedWith(nameProbesOf(sql)), null)
      assert.deepEqual(await stoppedWith(sql), null)
    })
})

describe('PostgreSQL does not know a name, and a probe fails with the same SQLSTATE', () => {
  for (const sql of [...FAILS, ...FAIL_TOGETHER])
    test(sql, async () => {
      const sqlState = await stateOf(sql)
      assert.notEqual(sqlState, null)
      assert.equal(await refusedWith(probesOf(sql)), sqlState)
    })
})

describe('something stands in its way, and PostgreSQL refuses it with the same words', () => {
  for (const sql of STOPPED)
    test(sql, async () => {
      const error = await errorOf(sql)
      assert.ok(error !== null)
      const { code, message, hint } = error
      assert.deepEqual(await stoppedWith(sql), { code, message, hint })
    })
})

/** The error of the first obstacle that stands in the way. */
async function stoppedWith(sql: string): Promise<object | null> {
  for (const obstacle of obstaclesOf(sql)) {
    const { rows } = await admin.query<[string | null]>({ text: obstacle.sql, rowMode: 'array' })
    const [row] = rows
    const { sqlState: code, message, hints } = obstacle
    if (row !== undefined) return { code, message, hint: hints[row[0] ?? ''] }
  }
  return null
}

/** The SQLSTATE with which a statement fails; null where it runs, which is undone where it can be. */
async function stateOf(sql: string): Promise<string | null> {
  return (await errorOf(sql))?.code ?? null
}

async function errorOf(sql: string): Promise<pg.DatabaseError | null> {
  const isUndone = !/^(?:vacuum|reindex schema)/.test(sql)
  if (isUndone) await admin.query('begin')
  try {
    await admin.query(sql)
    return null
  } catch (thrown) {
    return thrown instanceof pg.DatabaseError ? thrown : Promise.reject(thrown)
  } finally {
    if (isUndone) await admin.query('rollback')
    await admin.query('deallocate all')
  }
}

/** The SQLSTATE of the first probe that tells that a statement cannot run. */
async function refusedWith(probes: readonly Probe[]): Promise<string | null> {
  for (const probe of probes) {
    const isQuery = probe.of === 'text' && !/^(?:create|declare)/.test(probe.sql)
    const sqlState = await stateOf(isQuery ? `prepare q as ${probe.sql}` : probe.sql)
    if (sqlState !== null && isImpossible(probe, sqlState)) return probe.sqlState ?? sqlState
  }
  return null
}
