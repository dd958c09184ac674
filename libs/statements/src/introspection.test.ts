// Catalog queries of tools. `introspection.fixture.json` is what psql 15, SQLAlchemy 2.1, Django 5.2, psycopg 3.3, psycopg2
// 2.9 and asyncpg 0.32 sent to PostgreSQL 15 and 18 (psql: 60 commands from \d to \z; the others: reflection, types, pools), and
// what knex, Sequelize, TypeORM, drizzle-kit, Flyway and Liquibase sent to 18 (migrate, synchronise, describe, undo) in the
// versions that stand there. Not in it: Flyway's SET ROLE to the role that it has (own-roles.test.ts), and search paths, which policy decides on.
// The statements of the other tools, below, are written after the queries in the sources of those tools.
// Seen to fail when `pg_advisory_unlock_all` or `pg_options_to_table` is of no class, and when `columnsOf` in catalog.ts knows
// no columns of pg_catalog.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import {
  isMaskedSystemColumn,
  loadStatements,
  systemColumnsMasked,
  type TargetCatalog,
  understand,
} from './index.ts'

const RECORDED = JSON.parse(
  readFileSync(new URL('introspection.fixture.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly string[]>>

const WRITTEN: Readonly<Record<string, readonly string[]>> = {
  Rails: [
    "SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type AS t LEFT JOIN pg_range AS r ON t.oid = r.rngtypid WHERE t.typname IN ('int2', 'bool')",
    'SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, a.attidentity, a.attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid WHERE a.attrelid = \'"orders"\'::regclass AND a.attnum > 0 ORDER BY a.attnum',
    "SELECT DISTINCT i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), obj_description(i.oid, 'pg_class') FROM pg_class t JOIN pg_index d ON t.oid = d.indrelid JOIN pg_class i ON d.indexrelid = i.oid WHERE t.relname = 'orders'",
    "SELECT pg_get_constraintdef(c.oid, true), conname, c.convalidated FROM pg_constraint c JOIN pg_class t ON c.conrelid = t.oid WHERE c.contype = 'c'",
    'SELECT pg_try_advisory_lock(2053462845)',
    'SELECT pg_advisory_unlock(2053462845)',
    'SHOW search_path',
    'SET standard_conforming_strings = on',
    'SELECT extname FROM pg_extension',
    'SELECT type.typname AS name, type.OID AS oid, n.nspname AS schema, array_agg(enum.enumlabel ORDER BY enum.enumsortorder) AS value FROM pg_enum AS enum JOIN pg_type AS type ON (type.oid = enum.enumtypid) JOIN pg_namespace n ON type.typnamespace = n.oid GROUP BY type.OID, n.nspname, type.typname',
    "SELECT pg_get_serial_sequence('orders', 'id')",
  ],
  Prisma: [
    "SELECT namespace.nspname AS namespace_name, tbl.relname AS table_name, tbl.relrowsecurity, tbl.reloptions, obj_description(tbl.oid, 'pg_class') AS description, pg_get_viewdef(tbl.oid) FROM pg_class AS tbl JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace WHERE namespace.nspname = ANY ($1)",
    'SELECT oid.namespace, info.table_name, info.column_name, format_type(att.atttypid, att.atttypmod) AS formatted_type, info.numeric_precision, info.column_default, pg_get_expr(attdef.adbin, attdef.adrelid) FROM information_schema.columns info JOIN pg_attribute att ON att.attname = info.column_name JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname AS namespace FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace) AS oid ON oid.oid = att.attrelid LEFT OUTER JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid',
    'WITH rawindex AS (SELECT indrelid, indexrelid, indisunique, unnest(indkey) AS indkeyid, generate_subscripts(indkey, 1) AS indkeyidx, unnest(indclass) AS indclass, unnest(indoption) AS indoption FROM pg_index WHERE indpred IS NULL AND NOT indisexclusion) SELECT * FROM rawindex',
    'SELECT pg_advisory_lock(72707369)',
    "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1), version(), current_setting('server_version_num')::integer AS numeric_version",
    'SELECT sequencename, start_value, increment_by, cycle, last_value FROM pg_sequences WHERE schemaname = ANY ($1)',
  ],
  DBeaver: [
    "SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass",
    "SELECT c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(c.oid) AS partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid WHERE c.relnamespace = $1 AND c.relkind NOT IN ('i', 'I', 'c')",
    'SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid = d.objoid',
    'SELECT c.oid, c.*, t.relname AS tabrelname, rt.relnamespace AS refnamespace, d.description, pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid',
    'SELECT i.*, i.indkey AS keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname AS tabrelname, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS pred_expr, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_class tc ON tc.oid = i.indrelid',
    'SELECT db.oid, db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate',
    "SELECT * FROM pg_catalog.pg_settings WHERE name = 'standard_conforming_strings'",
    'SELECT current_schema(), session_user',
  ],
  DataGrip: [
    'SELECT N.oid::bigint AS id, N.xmin AS state_number, nspname AS name, D.description, pg_catalog.pg_get_userbyid(N.nspowner) AS "owner" FROM pg_catalog.pg_namespace N LEFT JOIN pg_catalog.pg_description D ON N.oid = D.objoid ORDER BY case when nspname = current_schema then -1::bigint else N.oid::bigint end',
    'SELECT L.transactionid::varchar::bigint AS transaction_id FROM pg_catalog.pg_locks L WHERE L.transactionid IS NOT NULL ORDER BY pg_catalog.age(L.transactionid) DESC LIMIT 1',
    'SELECT case when pg_catalog.pg_is_in_recovery() then null else (pg_catalog.txid_current() % (2^32)::bigint)::varchar::bigint end AS current_txid',
    'SELECT T.relkind AS table_kind, T.relname AS table_name, T.oid AS table_id, T.xmin AS table_state_number, T.reloptions AS options, (SELECT pg_catalog.array_agg(inhparent::bigint ORDER BY inhseqno)::varchar FROM pg_catalog.pg_inherits WHERE T.oid = inhrelid) AS ancestors, pg_catalog.pg_get_expr(T.relpartbound, T.oid) FROM pg_catalog.pg_class T WHERE relnamespace = $1::oid AND pg_catalog.age(T.xmin) <= coalesce(nullif(greatest(pg_catalog.age($2::varchar::xid), -1), -1), 2147483647)',
    'SELECT A.grantee::regrole, A.is_grantable, A.privilege_type FROM pg_catalog.pg_class T, pg_catalog.aclexplode(T.relacl) A',
  ],
  pgAdmin: [
    "SELECT db.oid AS did, db.datname AS name, ta.spcname, db.datallowconn, pg_catalog.pg_encoding_to_char(db.encoding), pg_catalog.has_database_privilege(db.oid, 'CREATE') AS cancreate, descr.description AS comments FROM pg_catalog.pg_database db LEFT OUTER JOIN pg_catalog.pg_tablespace ta ON db.dattablespace = ta.oid LEFT OUTER JOIN pg_catalog.pg_shdescription descr ON (db.oid = descr.objoid AND descr.classoid = 'pg_database'::regclass)",
    'SELECT roles.oid AS id, roles.rolname AS name, roles.rolsuper AS is_superuser, CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreaterole END AS can_create_role FROM pg_catalog.pg_roles AS roles WHERE rolname = current_user',
    'SELECT gss_authenticated, encrypted FROM pg_catalog.pg_stat_gssapi WHERE pid = pg_backend_pid()',
    'SELECT \'session_stats\' AS chart_name, pg_catalog.row_to_json(t) AS chart_data FROM (SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity) AS "Total", (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = \'active\') AS "Active") t',
    "SELECT set_config('bytea_output', 'hex', false) FROM pg_show_all_settings() WHERE name = 'bytea_output'",
    'SET client_min_messages = notice',
  ],
  'psql of foreign servers': [
    "SELECT s.srvname, ARRAY(SELECT pg_catalog.quote_ident(option_name) || ' ' || pg_catalog.quote_literal(option_value) FROM pg_catalog.pg_options_to_table(srvoptions)) FROM pg_catalog.pg_foreign_server s",
  ],
  'JDBC, drizzle, pg_dump': [
    "SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, d.description AS REMARKS FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid",
    'SELECT result.TABLE_CAT, (result.KEYS).n AS KEY_SEQ FROM (SELECT NULL AS TABLE_CAT, information_schema._pg_expandarray(i.indkey) AS KEYS FROM pg_catalog.pg_index i) result',
    'SELECT last_value, is_called FROM pg_sequences, pg_get_sequence_data(1)',
    "SELECT currval('s'), lastval(), pg_sequence_last_value('s'::regclass)",
    'SELECT txid_current_if_assigned(), pg_current_snapshot(), txid_snapshot_xmin(txid_current_snapshot())',
  ],
}

const CATALOG: TargetCatalog = {
  searchPath: ['shop', 'public'],
  relations: [],
  routines: [],
  types: [
    {
      oid: 20_000,
      schema: 'shop',
      name: 'mood',
      kind: 'enum',
      plain: true,
      composed: false,
      runsWhenRead: false,
    },
    {
      oid: 20_001,
      schema: 'shop',
      name: 'orders',
      kind: 'composite',
      plain: true,
      composed: true,
      runsWhenRead: false,
    },
  ],
}

before(loadStatements)

/** Statements that show masked values; only those values of their results are masked. */
const SHOWING = /pg_db_role_setting|srvoptions|current_setting\(s\.name\)|current_setting\(\$1/

describe('what tools ask of the catalogs', () => {
  for (const [tool, statements] of [...Object.entries(RECORDED), ...Object.entries(WRITTEN)])
    test(`is understood, and not masked: ${tool}`, () => {
      assert.ok(statements.length > 0)
      for (const sql of statements) {
        const { effects, columns, columnsUnknown, functions } = understand(sql, CATALOG)
        const others = effects.filter(({ effect }) => !PASSING.has(effect))
        assert.deepEqual(others, [], sql)
        if (SHOWING.test(sql)) continue
        const masked = columns.filter(({ relation: { schema, name }, column }) => {
          if (schema !== 'pg_catalog' && schema !== 'information_schema') return false
          if (column === '*') return systemColumnsMasked(schema, name)
          return isMaskedSystemColumn({ schema, relation: name, column })
        })
        assert.deepEqual(masked, [], sql)
        assert.equal(columnsUnknown, false, `${sql}: ${functions.map(({ name }) => name).join()}`)
      }
    })

  test('gives the connection back to the pool, without a question to people', () => {
    const reset = understand(
      'SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;',
      CATALOG,
    )
    assert.deepEqual([...new Set(reset.effects.map(({ effect }) => effect))].sort(), [
      'read',
      'session-change',
    ])
  })
})

const PASSING: ReadonlySet<string> = new Set(['read', 'transaction', 'session-change'])

test('what nobody has classified, of a later version for example, is masked whole', () => {
  const masked = (relation: string, column: string): boolean =>
    isMaskedSystemColumn({ schema: 'pg_catalog', relation, column })
  assert.equal(masked('pg_class', 'relname'), false)
  assert.equal(masked('pg_class', 'rel_of_version_99'), true)
  assert.equal(masked('pg_of_version_99', 'oid'), true)
  assert.equal(systemColumnsMasked('pg_catalog', 'pg_of_version_99'), true)
})
