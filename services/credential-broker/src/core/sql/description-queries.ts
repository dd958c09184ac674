import { isPlainRoutine, OVERLOADS } from './overload-queries.ts'
import { castsDigest, routineDigest } from './detail-queries.ts'
import { isPlain } from './type-queries.ts'

/** Objects that PostgreSQL itself made have smaller OIDs (FirstNormalObjectId). */
const FIRST_OF_USERS = 16384
const written = (row: string, oid: string): string =>
  `pg_catalog.concat_ws(',', pg_catalog.count(*), pg_catalog.max(${oid}), pg_catalog.sum(${row}.xmin::pg_catalog.text::pg_catalog.int8))`

const OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

/** Tables, views and sequences with their columns, masking labels, what they inherit from, and their generated columns. */
export const RELATIONS = `
SELECT c.oid::int8::text AS oid, n.nspname AS schema, c.relname AS name,
       CASE WHEN c.relkind = 'f' AND EXISTS (
              SELECT FROM pg_catalog.pg_foreign_table f, pg_catalog.unnest(f.ftoptions) option
               WHERE f.ftrelid = c.oid AND option LIKE 'program=%') THEN 'program' ELSE c.relkind::text END AS kind,
       coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                   'attnum', a.attnum, 'name', a.attname, 'typeOid', a.atttypid::int8,
                   'label', (SELECT l.label FROM pg_catalog.pg_seclabel l
                              WHERE l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                AND l.objoid = c.oid AND l.objsubid = a.attnum AND l.provider = 'anon'))
                 ORDER BY a.attnum)
                   FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns,
       coalesce((SELECT pg_catalog.json_agg(i.inhparent::int8 ORDER BY i.inhseqno)
                   FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid), '[]') AS inherits,
       coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                   'attnum', a.attnum,
                   'of', ARRAY(SELECT DISTINCT (found.match)[1]::pg_catalog.int4 FROM pg_catalog.regexp_matches(
                                 d.adbin::pg_catalog.text, ' :varattno ([0-9]+)', 'g') found(match) ORDER BY 1))
                 ORDER BY a.attnum)
                   FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                  WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped), '[]') AS computed
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${OURS}
 ORDER BY c.oid`

/**
 * A text that differs after a change of anything that is described, and that costs little to ask: the number of
 * relations, columns, their expressions, rules, triggers, constraints, policies, indexes, foreign tables, routines, types, their
 * labels, operators, casts, schemas, settings, event triggers and security labels, with their privileges, the youngest of each, and the sum of the transactions that wrote them last.
 */
export const EXTENT = `
SELECT pg_catalog.concat_ws('/',
  (SELECT ${written('c', 'c.oid')} FROM pg_catalog.pg_class c
    WHERE c.oid >= ${FIRST_OF_USERS} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')),
  (SELECT ${written('a', 'a.attrelid')} FROM pg_catalog.pg_attribute a
    WHERE a.attrelid >= ${FIRST_OF_USERS} AND a.attnum > 0),
  (SELECT ${written('d', 'd.oid')} FROM pg_catalog.pg_attrdef d WHERE d.oid >= ${FIRST_OF_USERS}),
  (SELECT ${written('r', 'r.oid')} FROM pg_catalog.pg_rewrite r WHERE r.oid >= ${FIRST_OF_USERS}),
  (SELECT ${written('t', 't.oid')} FROM pg_catalog.pg_type t WHERE t.oid >= ${FIRST_OF_USERS}),
  (SELECT ${written('k', 'k.oid')} FROM pg_catalog.pg_constraint k WHERE k.oid >= ${FIRST_OF_USERS}),
  (SELECT ${written('g', 'g.oid')} FROM pg_catalog.pg_trigger g WHERE g.oid >= ${FIRST_OF_USERS}),
  (SELECT ${written('y', 'y.oid')} FROM pg_catalog.pg_policy y),
  (SELECT ${written('i', 'i.indexrelid')} FROM pg_catalog.pg_index i WHERE i.indexrelid >= ${FIRST_OF_USERS}),
  (SELECT ${written('e', 'e.oid')} FROM pg_catalog.pg_enum e),
  (SELECT ${written('e', 'e.oid')} FROM pg_catalog.pg_event_trigger e),
  (SELECT ${written('f', 'f.ftrelid')} FROM pg_catalog.pg_foreign_table f),
  (SELECT ${written('f', 'f.oid')} FROM pg_catalog.pg_foreign_server f),
  (SELECT ${written('k', 'k.oid')} FROM pg_catalog.pg_cast k WHERE k.oid >= ${FIRST_OF_USERS}),
  (SELECT ${written('o', 'o.oid')} FROM pg_catalog.pg_operator o WHERE o.oid >= ${FIRST_OF_USERS}),
  (SELECT ${written('n', 'n.oid')} FROM pg_catalog.pg_namespace n),
  (SELECT ${written('d', 'd.oid')} FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()),
  (SELECT ${written('i', 'i.inhrelid')} FROM pg_catalog.pg_inherits i),
  (SELECT ${written('s', 's.setrole')} FROM pg_catalog.pg_db_role_setting s WHERE s.setrole = 0),
  (SELECT ${written('p', 'p.oid')} FROM pg_catalog.pg_proc p WHERE p.oid >= ${FIRST_OF_USERS}),
  (SELECT ${written('l', 'l.objoid')} FROM pg_catalog.pg_seclabel l)) AS extent`

/** The columns that views read. */
export const DEPENDENCIES = `
SELECT DISTINCT r.ev_class::int8::text AS view, d.refobjid::int8::text AS relation, d.refobjsubid AS attnum
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND d.refobjid <> r.ev_class AND ${OURS}
 ORDER BY 1, 2, 3`

/** The rules that views are made of and those for writes, as PostgreSQL keeps them. */
export const RULES = `
SELECT r.ev_class::int8::text AS relation, r.ev_type = '1' AS "isView", r.ev_action::text AS rule
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE ${OURS}
 ORDER BY r.oid`

/**
 * The functions that a rule may call: those of PostgreSQL itself, and of the others those that are not plain. An aggregate is
 * as plain as the functions that it is made of.
 */
export const FUNCTIONS = `
SELECT p.oid::int8::text AS oid, CASE WHEN p.oid < ${FIRST_OF_USERS} THEN p.proname END AS builtin
  FROM pg_catalog.pg_proc p
 WHERE p.oid < ${FIRST_OF_USERS} OR NOT ${isPlain('p.oid')} OR EXISTS (
         SELECT FROM pg_catalog.pg_aggregate g
          WHERE g.aggfnoid = p.oid AND NOT (${isPlain('g.aggtransfn')} AND ${isPlain('g.aggfinalfn')}
            AND ${isPlain('g.aggmtransfn')} AND ${isPlain('g.aggmfinalfn')}))`

/**
 * Functions and procedures outside pg_catalog, and whatever calls them under another name: types, since `t(x)` and
 * `x.t` convert to them and so run the checks of a domain or the function of a cast; and signs of operators whose
 * functions may do more than compute, whatever they declare. A sign that pg_catalog has too counts only between types
 * of PostgreSQL: a type of the target is itself marked as read by operators (`runsWhenRead`).
 */
export const ROUTINES = `
SELECT p.oid::int8::text AS oid, n.nspname AS schema, p.proname AS name, p.provolatile AS volatility,
       p.prosecdef AS "securityDefiner", l.lanname AS language, ${OVERLOADS} AS overloads, plain.is AS plain,
       ${routineDigest('p', 'plain.is')} AS digest
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 CROSS JOIN LATERAL (SELECT ${isPlainRoutine} AS is) plain
 WHERE ${OURS}
UNION ALL
SELECT t.oid::int8::text, n.nspname, t.typname, 'v', false, 'type', 'always', false, ${castsDigest('t.oid')}
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE ${OURS} AND (t.typtype = 'd' OR EXISTS (
         SELECT FROM pg_catalog.pg_cast k WHERE k.casttarget = t.oid AND k.castfunc <> 0))
UNION ALL
SELECT o.oid::int8::text, n.nspname, o.oprname, p.provolatile, p.prosecdef, l.lanname, 'always', false,
       ${routineDigest('p', 'false')}
  FROM pg_catalog.pg_operator o
  JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE ${OURS} AND NOT ${isPlain('o.oprcode')}
   AND (greatest(o.oprleft, o.oprright) < ${FIRST_OF_USERS}
        OR NOT EXISTS (SELECT FROM pg_catalog.pg_operator b
                        WHERE b.oprname = o.oprname AND b.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace))
 ORDER BY 1`

/** The search path that a session is to have: set for the database, for everybody, for the server, or the default. */
export const SEARCH_PATH = `
SELECT pg_catalog.current_setting('server_version') AS version,
       coalesce(
         (SELECT pg_catalog.substr(setting, 13) FROM pg_catalog.pg_db_role_setting s
            CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting
           WHERE s.setrole = 0 AND setting LIKE 'search_path=%'
             AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database
                                        WHERE datname = pg_catalog.current_database()))
           ORDER BY s.setdatabase DESC LIMIT 1),
         -- What is set for the admin role itself is of no interest.
         (SELECT setting FROM pg_catalog.pg_settings
           WHERE name = 'search_path' AND source IN ('configuration file', 'command line', 'default')),
         '"$user", public') AS path`
