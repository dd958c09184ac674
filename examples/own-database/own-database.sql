-- Everything that Countersign needs at a database of yours, here `inventory` with its tables in the schema `stock`.
-- Replace these names and `inventory_…` everywhere. PostgreSQL 16 or newer. Run it as a superuser, in that database:
--   psql -v ON_ERROR_STOP=1 -v broker_password="$PASSWORD" -d inventory -f own-database.sql
-- It may be run again.

\set QUIET on
BEGIN;

-- 1. The broker's account, once per server. It makes the role of each session, and hands out what it was given below.
SELECT 'CREATE ROLE countersign_broker' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'countersign_broker') \gexec
SET LOCAL password_encryption = 'scram-sha-256';
ALTER ROLE countersign_broker WITH LOGIN CREATEROLE NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS
  PASSWORD :'broker_password';
-- It inherits from the roles that it makes, so that it can end their backends and hand on what they own.
ALTER ROLE countersign_broker SET createrole_self_grant = 'set, inherit';

-- 2. The roles of the profile: what each session has, what is lent for an approved write, who owns the tables.
SELECT format('CREATE ROLE %I NOLOGIN', wanted)
FROM unnest(ARRAY['inventory_reader', 'inventory_writer', 'inventory_owner']) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

-- 3. Nobody else connects, and nobody creates: a function or temporary table of an agent would change what an approved text does.
REVOKE ALL ON DATABASE inventory FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE inventory TO inventory_reader, inventory_writer, inventory_owner, countersign_broker;

-- 4. The tables. A schema that exists already is given to the owner role, with its tables.
CREATE SCHEMA IF NOT EXISTS stock;
ALTER SCHEMA stock OWNER TO inventory_owner;
SELECT format('ALTER TABLE %I.%I OWNER TO inventory_owner', schemaname, tablename) FROM pg_tables WHERE schemaname = 'stock' \gexec
GRANT USAGE ON SCHEMA stock TO inventory_reader, inventory_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA stock TO inventory_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA stock TO inventory_writer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA stock TO inventory_writer;
-- Tables that are made later, by approved statements too.
ALTER DEFAULT PRIVILEGES FOR ROLE inventory_owner IN SCHEMA stock GRANT SELECT ON TABLES TO inventory_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE inventory_owner IN SCHEMA stock GRANT INSERT, UPDATE, DELETE ON TABLES TO inventory_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE inventory_owner IN SCHEMA stock GRANT USAGE ON SEQUENCES TO inventory_writer;

-- 5. The broker hands these roles out, and has none of them itself. It may become the owner alone, to give it what was created.
GRANT inventory_reader, inventory_writer TO countersign_broker WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
GRANT inventory_owner TO countersign_broker WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;

COMMIT;
