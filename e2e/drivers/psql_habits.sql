-- The habits of psql. Each step begins with a line that names it; at PostgreSQL and through the proxy it must print the
-- same. Left out: \df+, \sf and \dconfig, since bodies of functions and settings by computed names are masked, and \encoding
-- of another than UTF8, which is refused.
\pset pager off
\set SHOW_CONTEXT always

\echo step: relations
\d shop.*
\dt+ shop.orders
\dtvms shop.*
\dv+ shop.*
\di+ shop.orders*
\ds shop.*
\dm shop.*
\dE shop.*
\dP shop.*

\echo step: one relation
\d+ shop.orders
\d+ shop.customer_emails
\d+ shop.spoken
\d shop.orders_pkey
\d no_such_relation

\echo step: schemas, databases, tablespaces
\dn+ shop
\l shop_dev
\db pg_default

\echo step: functions and procedures
\df shop.*
\dfa pg_catalog.sum
\dfn pg_catalog.lower
\da pg_catalog.count
\do pg_catalog.|| text text
\sv shop.customer_emails
\sv+ shop.customer_emails
\sf no_such_function

\echo step: types and domains
\dT shop.*
\dT+ shop.mood
\dD shop.*
\dC json
\dO pg_catalog.C

\echo step: roles and privileges
\du shop_dev_writer
\dg+ shop_dev_owner
\dp shop.orders
\z shop.spoken
\ddp shop.*
\drds shop_dev_owner

\echo step: the rest of the family
\dx plpgsql
\dx+ plpgsql
\dL
\dA
\dAc btree int4
\dAf btree int4
\dAo btree int4
\dAp btree integer_ops
\dc pg_catalog.utf8_to_latin1
\dd shop.*
\des
\deu
\det
\dew
\dF
\dFd
\dFp
\dFt
\dRp
\dRs
\dX shop.*
\dy
\dl

\echo step: psql's own queries of the hidden kind
\set ECHO_HIDDEN on
\d shop.spoken
\dn shop
\set ECHO_HIDDEN off

\echo step: the rows in pieces
\set FETCH_COUNT 30
select id, lower(status), total_cents / 100.0 as total from shop.orders order by id limit 70;
select n from generate_series(1, 31) s(n);
select 6 / (35 - n) as n from generate_series(1, 40) s(n);
values (1, 'a'), (2, 'b');
\unset FETCH_COUNT

\echo step: gexec, gset, gx, gdesc, crosstabview
select format('select %s as number, %L as text', n, 'it''s ' || n) from generate_series(1, 3) s(n) \gexec
select count(*) as orders, max(id) as last from shop.orders \gset shop_
\echo :shop_orders :shop_last
select :shop_orders as again, :'shop_last' as quoted, :"shop_orders" from (select 1) as t(":shop_orders");
select id, status from shop.orders where id = 3 \gx
select id, status, placed_at, null::shop.mood as mood, '{1}'::int[] as list from shop.orders \gdesc
select status, id % 3 as third, count(*) from shop.orders group by 1, 2 order by 1, 2 \crosstabview

\echo step: watched until it fails
begin;
with more as (insert into shop.spoken select count(*) from shop.spoken returning id) select 6 / (2 - id) as result from more;
\watch 0
rollback;

\echo step: copies
begin;
\copy shop.spoken from stdin
1	one
2	two
\.
\copy shop.spoken (id, note) from program 'printf "3,three\n4,four\n"' with (format csv)
\copy (select id, note from shop.spoken order by id) to stdout with (format csv, header)
\copy shop.spoken to program 'wc -l'
copy (select id from shop.spoken order by id) to stdout;
\copy shop.spoken from program 'echo not a number'
rollback;

\echo step: cursors and prepared statements
begin;
declare one scroll cursor for select id, id * 2 as twice from shop.orders order by id;
fetch 3 from one;
move forward 10 in one;
fetch backward 2 from one;
fetch absolute 1 from one;
close one;
fetch one;
rollback;
prepare two(int) as select id from shop.orders where id = $1;
execute two(5);
execute two(6);
deallocate two;
execute two(7);

\echo step: errors leave a transaction, and savepoints get out of it
\set ON_ERROR_ROLLBACK on
begin;
insert into shop.spoken values (1, 'kept');
select 1 / 0;
select no_such_column from shop.spoken;
select count(*) from shop.spoken;
rollback;
\set ON_ERROR_ROLLBACK off
\set AUTOCOMMIT off
select 1 as begun;
selec 2;
select 3 as failed;
rollback;
\set AUTOCOMMIT on

\echo step: several statements in one message
select 1 as a \; select 2 as b \; select 1 / 0 as c \; select 3 as d;
begin \; insert into shop.spoken values (5, 'x') \; rollback;

\echo step: settings
set work_mem = '5MB';
show work_mem;
reset all;
\encoding
\timing off
show client_encoding;
-- A plan that no statistics change, which the server may gather in between.
explain (costs off) select id from generate_series(1, 3) id where id = 3;
select * from no_such_table;

\echo step: descriptions of statements
\h rollback to savepoint
\dt no_such_*
\if :{?shop_orders}
select 'conditions' as work;
\endif
