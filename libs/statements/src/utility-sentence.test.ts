import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import libpgQuery from 'libpg-query'
import { COMMAND_KINDS } from './alter-command.ts'
import { EMPTY_CATALOG, loadStatements, understand } from './index.ts'
import { treeOf } from './tree.ts'
import { STATEMENT_KINDS } from './utility.ts'

before(loadStatements)

const summaryOf = (sql: string): string => understand(sql, EMPTY_CATALOG).summary

/** One statement or more of each kind, and what people read of it. */
const SENTENCES: Readonly<Record<string, string>> = {
  'select 1': 'computes values',
  'select * from a.t, u where refund(i)': 'calls refund(); reads a.t, u',
  'insert into t values (1)': 'adds rows to t',
  'insert into t select * from u': 'adds rows to t; reads u',
  'insert into t values (1) on conflict (id) do update set i = 1':
    'adds rows to t and changes those that are there already',
  'update t set i = 1 where id = 1': 'changes rows of t',
  'update t set i = 1': 'changes every row of t (no condition: every row)',
  'delete from t where true': 'deletes every row of t (no condition: every row)',
  'update t set i = 1; delete from u where id = 1':
    'changes every row of t (no condition: every row); then deletes rows of u',
  'select 1 from t; delete from t where id = 1': 'reads t; then deletes rows of t',
  'with d as (delete from t returning id) insert into u select id from d':
    'deletes every row of t (no condition: every row); adds rows to u; reads t',
  'merge into t using u on t.id = u.id when matched then delete when not matched then insert values (1)':
    'merges into t (deletes rows, adds rows); reads u',
  'truncate shop.orders, t cascade':
    'empties shop.orders, t and every table that refers to it (CASCADE)',
  'drop table shop.orders': 'drops table shop.orders',
  'drop schema shop cascade': 'drops schema shop and everything in it (CASCADE)',
  'drop view a.b, c': 'drops view a.b, c',
  'drop function f(int)': 'drops function f',
  'drop type a.mood cascade': 'drops type a.mood and everything that depends on it (CASCADE)',
  'drop index concurrently i': 'drops index i without locking it (CONCURRENTLY)',
  'drop trigger x on t': 'drops trigger t.x',
  'grant select, update (a, b) on shop.orders to ana, public':
    'grants select, update (a, b) on table shop.orders to ana, everybody (PUBLIC)',
  'grant all on all tables in schema shop to ana with grant option':
    'grants all rights on every table in shop to ana with the right to pass it on',
  'revoke insert on t from ana cascade':
    'revokes insert on table t from ana and everything that depends on it (CASCADE)',
  'grant admins to ana': 'makes ana a member of admins',
  'revoke admins from ana': 'ends the membership of ana in admins',
  'alter default privileges in schema s grant select on tables to ana':
    'grants select on every table that the role of the session creates later in s to ana',
  'create index on shop.orders (id)': 'creates an index on shop.orders (locks writes)',
  'create unique index concurrently i on t (id)':
    'creates a unique index i on t (without locking writes: CONCURRENTLY)',
  'vacuum full t': 'rebuilds t (VACUUM FULL: nobody can read or write it meanwhile)',
  vacuum: 'cleans up every table of the database',
  'analyze t': 'collects statistics of t',
  'cluster t':
    'rebuilds t in the order of an index (CLUSTER: nobody can read or write it meanwhile)',
  'reindex table concurrently t':
    'rebuilds every index of the table t (without locking it (CONCURRENTLY))',
  'reindex index i': 'rebuilds the index i (locks writes)',
  'reindex database d': 'rebuilds every index of the database d (locks writes)',
  'lock table t in share mode': 'locks t (SHARE)',
  'alter table t alter column a type bigint':
    'changes the type of a column a of t (takes ACCESS EXCLUSIVE, rebuilds the table)',
  'alter table t drop column a cascade':
    'drops a column a and what depends on it (CASCADE) of t (takes ACCESS EXCLUSIVE)',
  'alter table t add column a int': 'adds the column a of t (takes ACCESS EXCLUSIVE)',
  'alter table t rename to u': 'renames table t to u',
  'alter table t rename column a to b': 'renames column a of t to b',
  'alter table t set schema s': 'moves table t to the schema s',
  'alter table t owner to ana': 'makes ana the owner of t (takes ACCESS EXCLUSIVE)',
  'alter function f() owner to ana': 'gives function f to ana',
  'alter function f() depends on extension e': 'makes function f depend on the extension e',
  'alter table all in tablespace a set tablespace b': 'moves every table of the tablespace a to b',
  "alter system set work_mem = '1GB'":
    'changes the setting work_mem of the whole server (ALTER SYSTEM)',
  'alter system reset all': 'changes every setting of the whole server (ALTER SYSTEM)',
  "alter database d set work_mem = '1GB'":
    'changes the setting work_mem for every new session of the database d',
  "alter role ana set work_mem = '1GB'":
    'changes the setting work_mem for every new session of the role ana',
  "comment on table t is 'x'": 'changes the comment of table t',
  'create table s.t (a int)': 'creates the table s.t',
  'create table t as select * from u': 'creates t from a query; reads u',
  'select * into t from u': 'creates t from a query; reads u',
  'create foreign table t (a int) server s': 'creates the foreign table t',
  'create or replace view v as select * from t': 'replaces or creates the view v; reads t',
  'create materialized view v as select 1': 'creates v from a query',
  'refresh materialized view v': 'fills the materialized view v anew (locks reads)',
  'refresh materialized view concurrently v':
    'fills the materialized view v anew (without locking reads: CONCURRENTLY)',
  'create schema s': 'creates the schema s',
  'create rule r as on insert to t do nothing': 'creates the rule r on t',
  'create trigger x after insert on t execute function f()': 'creates the trigger x on t',
  'create sequence s': 'creates the sequence s',
  'alter sequence s restart': 'restarts the sequence s',
  'alter sequence s restart with 1': 'restarts the sequence s with 1',
  'alter sequence s restart 0': 'restarts the sequence s with 0',
  'alter sequence s restart -5': 'restarts the sequence s with -5',
  'alter sequence s restart 9000000000': 'restarts the sequence s with 9000000000',
  'alter sequence s increment 2 no cycle': 'changes the sequence s (increment, cycle)',
  'alter sequence s restart 5 owned by t.a': 'restarts the sequence s with 5 (owned_by)',
  'create statistics s on a, b from t': 'creates the statistics s',
  'alter statistics s set statistics 1': 'changes the statistics s',
  'create domain d as int': 'creates the domain d',
  'alter domain d drop not null': 'lets NULL into the domain d',
  'alter domain d set not null': 'refuses NULL in the domain d',
  'alter domain d drop constraint c cascade':
    'drops a constraint of the domain d and everything that depends on it (CASCADE)',
  'alter domain d add check (value > 0)': 'adds a constraint to the domain d',
  'alter domain d set default 1': 'changes the default of the domain d',
  'alter domain d validate constraint c': 'validates a constraint of the domain d',
  "create type m as enum ('a')": 'creates the type m',
  "alter type m add value 'b'": 'adds a value to the type m',
  "alter type m rename value 'b' to 'c'": 'renames a value of the type m',
  'create type r as range (subtype = int)': 'creates the range type r',
  'create type c as (a int)': 'creates the type c',
  'alter type c add attribute b int': 'adds the column b of c (takes ACCESS EXCLUSIVE)',
  'alter type c set (send = f)': 'changes the type c',
  'create aggregate g (int) (sfunc = f, stype = int)': 'creates aggregate g',
  'create operator @@@ (function = f, leftarg = int)': 'creates operator "@@@"',
  'create database d': 'creates the database d',
  'drop database d': 'drops the database d',
  'drop database d with (force)': 'drops the database d and ends its sessions (FORCE)',
  'alter database d connection limit 1': 'changes the database d',
  'alter database d refresh collation version': 'refreshes the collation version of the database d',
  "create tablespace s location '/x'": 'creates the tablespace s in a folder of the server',
  'drop tablespace s': 'drops the tablespace s',
  'alter tablespace s set (seq_page_cost = 1)': 'changes the tablespace s',
  'alter collation c refresh version': 'refreshes the collation c',
  "create function f() returns int language sql as 'select 1'": 'creates the function f',
  "create or replace procedure p() language sql as 'select 1'":
    'replaces or creates the procedure p',
  'alter function s.f() security definer':
    'changes the function s.f that runs with the rights of its owner (SECURITY DEFINER)',
  'alter function f() security invoker':
    'changes the function f that runs with the rights of its caller from now on (SECURITY INVOKER)',
  'alter function f() volatile cost 10': 'changes the function f (volatility, cost)',
  'create event trigger e on ddl_command_start execute function f()': 'creates the event trigger e',
  'alter event trigger e disable': 'disables the event trigger e',
  'create extension e': 'creates the extension e',
  'alter extension e update': 'updates the extension e',
  'alter extension e add table t': 'changes what belongs to the extension e',
  'create language l handler f': 'creates the language l',
  'create cast (a as b) without function': 'creates a cast from a to b',
  'create transform for a language l (from sql with function f(internal))':
    'creates a transform of a for l',
  "create conversion c for 'UTF8' to 'LATIN1' from f": 'creates the conversion c',
  'create access method m type index handler h': 'creates the access method m',
  'create operator class o for type int using btree as operator 1 <':
    'creates the operator class o',
  'create operator family o using btree': 'creates the operator family o',
  'alter operator family o using btree drop operator 1 (int, int)': 'changes the operator family o',
  'alter operator + (int, int) set (restrict = f)': 'changes the operator +',
  'alter text search configuration c drop mapping for word':
    'changes the text search configuration c',
  'alter text search dictionary d (a = b)': 'changes the text search dictionary d',
  'create foreign data wrapper w': 'creates the foreign data wrapper w',
  'alter foreign data wrapper w no handler': 'changes the foreign data wrapper w',
  'create server s foreign data wrapper w': 'creates the server s',
  "alter server s version '2'": 'changes the server s',
  'create user mapping for ana server s': 'gives ana a login at the server s',
  "alter user mapping for public server s options (a 'b')":
    'changes the login of everybody (PUBLIC) at the server s',
  'drop user mapping for current_user server s':
    'drops the login of the role of the session at the server s',
  'import foreign schema a from server s into b':
    'creates foreign tables in the schema b from the server s',
  'create publication p for table t': 'publishes changes of tables to other servers: publication p',
  'alter publication p add table t': 'changes what is published to other servers: publication p',
  "create subscription s connection 'x' publication p":
    'copies tables from another server: subscription s',
  'alter subscription s disable': 'changes the subscription s',
  'drop subscription s': 'drops the subscription s',
  'create policy p on t': 'creates the row security policy p on t',
  'alter policy p on t using (true)': 'changes the row security policy p on t',
  "create role r superuser login password 'x'":
    'creates the role r (superuser, login, sets a password)',
  'alter role r nosuperuser': 'changes the role r (no superuser)',
  'drop role a, b': 'drops the role a, b',
  'reassign owned by a to b': 'gives everything of a to b',
  'drop owned by a cascade':
    'drops everything that belongs to a and everything that depends on it (CASCADE)',
  "security label on table t is 'x'": 'changes the security label of table t',
  begin: 'begins a transaction',
  'rollback to s': 'rolls back to a savepoint',
  'set constraints all deferred': 'sets when constraints are checked in this transaction',
  'set work_mem = 1': 'changes the setting work_mem of the session',
  'reset all': 'resets every setting of the session',
  'show all': 'shows every setting',
  'prepare p as delete from t where id = 1':
    'prepares the statement p for later, which deletes rows of t',
  'execute p': 'runs the prepared statement p',
  'deallocate all': 'forgets every prepared statement',
  'declare c cursor for select * from t': 'opens the cursor c; reads t',
  'fetch all from c': 'reads from the cursor c',
  'move c': 'moves the cursor c',
  'close all': 'closes every cursor',
  'explain delete from t': 'shows the plan of a statement without running it; reads t',
  'explain analyze delete from t where id = 1': 'deletes rows of t',
  'copy t from stdin': 'adds rows to t from data of the agent that are not shown here',
  "copy t from program 'x'": 'adds rows to t from a program on the server',
  'copy t to stdout': 'copies rows to the agent; reads t',
  "copy t to '/x'": 'copies rows to a file of the server; reads t',
  'call s.p()': 'calls the procedure s.p',
  "do 'begin end'": 'runs a block of code',
  'discard all': 'discards all of the session',
  'listen c': 'listens to the channel c',
  'unlisten *': 'stops listening to every channel',
  "notify c, 'x'": 'notifies whoever listens to the channel c',
  "select pg_notify('c', 'x')": 'calls pg_notify()',
  "load 'x'": 'loads the library "x" into the server',
  checkpoint: 'makes the server write a checkpoint',
}

/** Statements whose objects the grammar holds in other places, and options that turn the meaning round. */
const OBJECTS: Readonly<Record<string, string>> = {
  'alter schema a rename to b': 'renames schema a to b',
  'alter database a rename to b': 'renames database a to b',
  'alter role a rename to b': 'renames role a to b',
  'alter tablespace a rename to b': 'renames tablespace a to b',
  'alter domain d rename constraint a to b': 'renames constraint a of d to b',
  'alter table t rename constraint a to b': 'renames constraint a of t to b',
  'alter policy p on t rename to q': 'renames policy p of t to q',
  'alter trigger x on t depends on extension e': 'makes trigger x of t depend on the extension e',
  'alter trigger x on t no depends on extension e':
    'makes trigger x of t no longer depend on the extension e',
  'alter large object 5 owner to ana': 'gives large object 5 to ana',
  'grant select on large object 5, 6 to ana': 'grants select on large object 5, 6 to ana',
  'comment on large object 5 is null': 'changes the comment of large object 5',
  'alter default privileges for role bob, eve in schema s grant all on tables to ana':
    'grants all rights on every table that bob, eve creates later in s to ana',
  'alter default privileges revoke execute on functions from public':
    'revokes execute on every function that the role of the session creates later from everybody (PUBLIC)',
  'revoke grant option for select on t from ana':
    'revokes the right to pass on select on table t from ana',
  'revoke admin option for a from b': 'revokes the right to pass on a from b',
  'revoke inherit option for a from b cascade':
    'revokes the inherited rights of a from b and everything that depends on it (CASCADE)',
  'refresh materialized view v with no data': 'empties the materialized view v (WITH NO DATA)',
  'alter group g drop user ana': 'changes the role g (without the members ana)',
  'alter group g add user ana': 'changes the role g (with the members ana)',
  'create role r in role a admin b': 'creates the role r (member of a, with the admins b)',
  'alter role r in database d set work_mem = 1':
    'changes the setting work_mem for every new session of the role r in the database d',
  'create table t (a int references u on delete cascade, foreign key (a) references v) inherits (w)':
    'creates the table t inheriting from w with a foreign key to u, ON DELETE CASCADE, with a foreign key to v',
  'create table t partition of u default': 'creates the table t as a partition of u',
  "create function f() returns int language sql security definer as 'select 1'":
    'creates the function f that runs with the rights of its owner (SECURITY DEFINER)',
  'create publication p for all tables':
    'publishes changes of every table to other servers: publication p',
}

/** One text or more of each command of ALTER TABLE, and what people read of it before the table. */
const COMMANDS: Readonly<Record<string, string>> = {
  'add column a int not null references u on delete set null on update cascade':
    'adds the column a with a foreign key to u, ON DELETE SET NULL, ON UPDATE CASCADE',
  'drop column a': 'drops a column a',
  'alter a set default 1': 'changes the default of a column a',
  'alter a drop default': 'drops the default of a column a',
  'alter a set not null': 'forbids NULL in a column a',
  'alter a drop not null': 'allows NULL in a column a',
  'alter a set expression as (b)': 'changes the expression of a column a',
  'alter a drop expression': 'drops the expression of a column a',
  'alter a set statistics 5': 'changes the amount of statistics of a column a',
  'alter a set (n_distinct = 5)': 'changes the options of a column a',
  'alter a reset (n_distinct)': 'resets the options of a column a',
  'alter a set storage external': 'changes the storage of a column a',
  'alter a set compression lz4': 'changes the compression of a column a',
  'alter a type bigint': 'changes the type of a column a',
  "alter a options (set b 'c')": 'changes the options of a column a',
  'alter a add generated always as identity': 'makes an identity of a column a',
  'alter a set generated always': 'changes the identity of a column a',
  'alter a drop identity': 'drops the identity of a column a',
  'add constraint c foreign key (a) references u (id) on delete cascade':
    'adds the foreign key c to u, ON DELETE CASCADE',
  'add check (a > 0) not valid': 'adds the check without a look at the rows (NOT VALID)',
  'add primary key (a, b)': 'adds the primary key of (a, b)',
  'alter constraint c deferrable': 'changes the constraint c',
  'validate constraint c': 'checks all rows against the constraint c',
  'drop constraint c cascade': 'drops a constraint c and what depends on it (CASCADE)',
  'owner to ana': 'makes ana the owner',
  'cluster on i': 'chooses for CLUSTER the index i',
  'set without cluster': 'chooses for CLUSTER no index',
  'set logged': 'keeps every row through a crash (LOGGED)',
  'set unlogged': 'lets a crash delete every row (UNLOGGED)',
  'set access method heap': 'changes the access method to heap',
  'set tablespace x': 'moves to the tablespace x',
  'set (autovacuum_enabled = off, toast.autovacuum_enabled = false)':
    'sets the options autovacuum_enabled = off, toast.autovacuum_enabled = false',
  'reset (fillfactor)': 'resets the options fillfactor',
  "options (set b 'c')": 'changes the options',
  'enable trigger x': 'enables the trigger x',
  'enable always trigger x': 'enables, also for replicated rows, the trigger x',
  'enable replica trigger x': 'enables, for replicated rows only, the trigger x',
  'disable trigger x': 'disables the trigger x',
  'enable trigger all': 'enables every trigger and foreign key',
  'disable trigger all': 'disables every trigger and foreign key',
  'enable trigger user': 'enables every trigger',
  'disable trigger user': 'disables every trigger',
  'enable rule r': 'enables the rule r',
  'enable always rule r': 'enables, also for replicated rows, the rule r',
  'enable replica rule r': 'enables, for replicated rows only, the rule r',
  'disable rule r': 'disables the rule r',
  'inherit u': 'adds the parent u',
  'no inherit u': 'removes the parent u',
  'of c': 'converts to the type c; binds the columns to the type c',
  'not of': 'binds the columns to no type',
  'replica identity using index i': 'changes the replica identity to index i',
  'replica identity full': 'changes the replica identity to every column',
  'enable row level security': 'turns on the row security',
  'disable row level security': 'turns off the row security',
  'force row level security': 'turns on, for the owner too, the row security',
  'no force row level security': 'turns off, for the owner, the row security',
  'attach partition p default': 'attaches the partition p',
  'detach partition p concurrently': 'detaches the partition p',
  'detach partition p finalize': 'finishes detaching the partition p',
}

const subtypeOf = (command: string): string =>
  /"subtype":"(\w+)"/.exec(JSON.stringify(libpgQuery.parseSync(tableOf(command))))?.[1] ?? ''

const tableOf = (command: string): string =>
  /options/.test(command) ? `alter foreign table t ${command}` : `alter table t ${command}`

describe('a command of ALTER TABLE is said in words, with its object', () => {
  for (const [command, expected] of Object.entries(COMMANDS))
    test(command, () => {
      const summary = summaryOf(tableOf(command))
      assert.equal(summary.slice(0, summary.indexOf(' of t (takes')), expected)
    })
  test('every command stands above', () => {
    const seen = new Set(Object.keys(COMMANDS).map(subtypeOf))
    assert.deepEqual(
      COMMAND_KINDS.filter((kind) => !seen.has(kind)),
      [],
    )
  })
  test('many commands are counted, the most dangerous first', () => {
    const many = Array.from({ length: 40 }, (_, n) => `add column a${n} int`)
    assert.match(
      summaryOf(`alter table t ${many.join()}, drop column b`),
      /^drops a column b, adds the column a0, .*, 21 things more \(21 change definitions\) of t/,
    )
  })
})

describe('a sentence names its object, wherever the grammar holds it', () => {
  for (const [sql, expected] of Object.entries(OBJECTS))
    test(sql, () => assert.equal(summaryOf(sql), expected))
})

describe('a sentence names what is done, and to what', () => {
  for (const [sql, expected] of Object.entries(SENTENCES))
    test(sql, () => assert.equal(summaryOf(sql), expected))

  test('every kind of statement stands above', () => {
    const seen = new Set(
      Object.keys(SENTENCES).flatMap((sql) => {
        const statements = treeOf(libpgQuery.parseSync(sql))?.['stmts']
        const list: readonly unknown[] = Array.isArray(statements) ? statements : []
        return list.flatMap((each) => Object.keys(treeOf(treeOf(each)?.['stmt']) ?? {}))
      }),
    )
    assert.deepEqual(
      STATEMENT_KINDS.filter((kind) => !seen.has(kind)),
      [],
    )
  })
})

describe('names of an agent are no words of ours', () => {
  test('what is not plain stands in quotes, and what is not seen as its code', () => {
    assert.equal(
      summaryOf('drop table "orders (harmless)", "a""b", "x\u202ey"'),
      String.raw`drops table "orders (harmless)", "a""b", "x\u202ey"`,
    )
    assert.equal(summaryOf('select "a\nb"()'), String.raw`calls a\u000ab()`)
  })
  test('many names are counted', () => {
    const names = Array.from({ length: 100 }, (_, n) => `t${n}`).join()
    assert.match(summaryOf(`drop table ${names}`), /^drops table t0, .* and 92 more$/)
  })
  test('many statements are counted, and none is left out in silence', () => {
    assert.equal(summaryOf('insert into t values (1);'.repeat(100)), 'adds rows to t (100 times)')
    const many = Array.from({ length: 60 }, (_, n) => `insert into t${n} values (1);`).join('')
    assert.match(summaryOf(many), /DOES MORE in 10 further statements$/)
  })
})

describe('nothing harmless hides what is dangerous', () => {
  const inserts = Array.from({ length: 70 }, (_, n) => `insert into t${n} values (1)`)
  const dangerous: Readonly<Record<string, string>> = {
    'drop table customers cascade': 'drops table customers and everything that depends on it',
    'drop database d': 'drops the database d',
    'truncate customers': 'empties customers',
    'delete from orders': 'deletes every row of orders',
    'delete from orders where id = 1': 'deletes rows of orders',
    'update orders set i = 1': 'changes every row of orders',
    'alter table t drop column a': 'drops a column a of t',
    'alter table t disable row level security': 'of t (takes ACCESS EXCLUSIVE)',
    'grant all on t to ana': 'grants all rights on table t to ana',
    'set role ana': 'changes the setting role',
    "copy t from program 'x'": 'adds rows to t from a program on the server',
    "do 'begin end'": 'runs a block of code',
    'call p()': 'calls the procedure p',
    'execute p': 'runs the prepared statement p',
    'create table x (a int)': 'creates the table x',
    'merge into t using u on true when matched then delete': 'merges into t (deletes rows)',
    "select pg_read_file('x')": 'calls pg_read_file()',
    'with a as (delete from customers) select 1': 'deletes every row of customers',
  }
  for (const [sql, expected] of Object.entries(dangerous))
    for (const place of [0, 35, 70])
      test(`${sql} behind ${place} of 70 statements`, () => {
        const texts = [...inserts.slice(0, place), sql, ...inserts.slice(place)]
        const summary = summaryOf(texts.join(';'))
        assert.ok(summary.includes(`the most dangerous first: `), summary)
        assert.ok(summary.includes(expected), summary)
        assert.ok(summary.indexOf(expected) < summary.indexOf('adds rows to t0;'), summary)
        assert.match(summary, /DOES MORE in 21 further statements$/)
      })

  test('a clause of one statement stands before those that are less dangerous', () => {
    const many = Array.from({ length: 60 }, (_, n) => `a${n} as (insert into t${n} values (1))`)
    assert.match(
      summaryOf(
        `with ${many.join()}, d as (delete from customers), e as (delete from u where i = 1) select 1`,
      ),
      /^deletes every row of customers \(no condition: every row\); deletes rows of u; adds rows to t0; .*; and 42 things more/,
    )
  })
  test('dangers that are left out are counted by their kind', () => {
    const many = Array.from(
      { length: 120 },
      (_, n) => `drop table t${n};delete from u${n} where i = 1;`,
    )
    assert.match(
      summaryOf(`${many.join('')}grant a to b`),
      /first: makes b a member of a; also drops table t0; .*; also DOES MORE in 191 further statements \(71 drop something or touch every row, 120 delete rows\)$/,
    )
  })
  test('few statements stand in their order', () =>
    assert.equal(
      summaryOf('insert into t values (1); drop table t'),
      'adds rows to t; then drops table t',
    ))
})
