import { castsDigest, typeDigest } from './detail-queries.ts'

/** Objects that PostgreSQL itself made have smaller OIDs (FirstNormalObjectId). */
const FIRST_OF_USERS = 16384
const OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

/**
 * True if a function only computes: it is PostgreSQL's own, or in C and declared neither volatile nor SECURITY DEFINER.
 */
export const isPlain = (oid: string): string =>
  `(${oid}::oid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_language l ON l.oid = f.prolang
     WHERE f.oid = ${oid}::oid AND (f.oid < ${FIRST_OF_USERS}
       OR l.lanname IN ('internal', 'c') AND f.provolatile <> 'v' AND NOT f.prosecdef)))`

/**
 * Types outside pg_catalog with what they are made of. `code` says whether the functions of the type itself are plain: of a
 * base type those for texts and bytes, of a range those for its bounds.
 */
export const TYPES = `
SELECT t.oid::int8::text AS oid, n.nspname AS schema, t.typname AS name, t.typtype AS kind,
       coalesce(c.relkind, '') AS "relationKind",
       CASE WHEN t.typtype = 'b' AND t.typcategory = 'A' THEN t.typelem::int8::float8 END AS element,
       CASE WHEN t.typtype = 'd' THEN t.typbasetype::int8::float8 END AS base,
       CASE t.typtype WHEN 'r' THEN r.rngsubtype::int8::float8 WHEN 'm' THEN m.rngtypid::int8::float8 END AS bounds,
       coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                   'name', a.attname, 'typeOid', a.atttypid::int8,
                   'label', (SELECT l.label FROM pg_catalog.pg_seclabel l
                              WHERE l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                AND l.objoid = a.attrelid AND l.objsubid = a.attnum AND l.provider = 'anon'))
                 ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS fields,
       coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
                   'expression', k.conbin::pg_catalog.text,
                   'functions', ARRAY(SELECT f.proname::pg_catalog.text FROM pg_catalog.pg_proc f
                      WHERE f.oid::int8 IN (SELECT (found.match)[1]::int8
                        FROM pg_catalog.regexp_matches(k.conbin::pg_catalog.text, ':(?:op)?funcid ([0-9]+)', 'g') found(match)))))
                   FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '[]') AS checks,
       t.typisdefined AND ${isPlain('t.typmodin')}
         AND (t.typtype <> 'b' OR ${isPlain('t.typinput')} AND ${isPlain('t.typreceive')}
              AND ${isPlain('t.typoutput')} AND ${isPlain('t.typsend')} AND ${isPlain('t.typsubscript')})
         AND (r.rngtypid IS NULL OR ${isPlain('r.rngcanonical')} AND ${isPlain('r.rngsubdiff')}
              AND NOT EXISTS (SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_amproc p ON p.amprocfamily = o.opcfamily
                               WHERE o.oid = r.rngsubopc AND NOT ${isPlain('p.amproc')})) AS code,
       EXISTS (SELECT FROM pg_catalog.pg_cast k
                WHERE k.casttarget = t.oid AND NOT ${isPlain('k.castfunc')}) AS "isConverted",
       EXISTS (SELECT FROM pg_catalog.pg_cast k
                WHERE k.castsource = t.oid AND NOT ${isPlain('k.castfunc')}
                  AND (k.castcontext = 'i' OR k.casttarget IN ('pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.jsonb'::pg_catalog.regtype)))
         OR EXISTS (SELECT FROM pg_catalog.pg_operator o
                     WHERE t.oid IN (o.oprleft, o.oprright) AND NOT ${isPlain('o.oprcode')})
         OR EXISTS (SELECT FROM pg_catalog.pg_amproc p
                     WHERE t.oid IN (p.amproclefttype, p.amprocrighttype) AND NOT ${isPlain('p.amproc')}) AS "runsWhenRead",
       ${typeDigest} AS digest
  FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND t.typrelid <> 0
  LEFT JOIN pg_catalog.pg_range r ON t.typtype = 'r' AND r.rngtypid = t.oid
  LEFT JOIN pg_catalog.pg_range m ON t.typtype = 'm' AND m.rngmultitypid = t.oid
 WHERE ${OURS}
 ORDER BY t.oid`

/**
 * PostgreSQL's own types to which casts of the target convert: converting to them runs functions of the target, whatever
 * the value is, or only where it is of a type of the target.
 */
export const CONVERTED = `
SELECT t.oid::int8::text AS oid, 'pg_catalog' AS schema, t.typname AS name, 'v' AS volatility,
       false AS "securityDefiner", 'type' AS language, false AS plain,
       CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_cast k WHERE k.casttarget = t.oid AND NOT ${isPlain('k.castfunc')}
                          AND k.castsource < ${FIRST_OF_USERS})
            THEN 'always' ELSE 'values' END AS overloads,
       ${castsDigest('t.oid')} AS digest
  FROM pg_catalog.pg_type t
 WHERE t.oid < ${FIRST_OF_USERS} AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
   AND EXISTS (SELECT FROM pg_catalog.pg_cast k
                WHERE k.casttarget = t.oid AND NOT ${isPlain('k.castfunc')})
 ORDER BY t.oid`

/**
 * The names behind which PostgreSQL applies implicit casts of the target between two of its own types: those types with what
 * is implicitly cast to them, the functions that take or return such, and the signs of operators that do, unless the
 * type that is cast has an operator of that sign itself, which fits better.
 */
export const UNASKED = `
WITH k AS (SELECT k.castsource, k.casttarget FROM pg_catalog.pg_cast k
            WHERE k.castcontext = 'i' AND k.castsource < ${FIRST_OF_USERS} AND k.casttarget < ${FIRST_OF_USERS}
              AND NOT ${isPlain('k.castfunc')}),
     own AS (SELECT casttarget AS oid FROM k
             UNION SELECT c.castsource FROM pg_catalog.pg_cast c JOIN k ON k.casttarget = c.casttarget
                    WHERE c.castcontext = 'i' AND c.castsource <> k.castsource),
     reached AS (SELECT oid FROM own
                 UNION SELECT t.typarray FROM pg_catalog.pg_type t JOIN own ON own.oid = t.oid WHERE t.typarray <> 0)
SELECT found.oid::int8::text AS oid, 'pg_catalog' AS schema, found.name, 'v' AS volatility,
       false AS "securityDefiner", 'unasked' AS language, false AS plain, 'always' AS overloads, '' AS digest
  FROM (SELECT t.oid, t.typname AS name FROM pg_catalog.pg_type t JOIN reached ON reached.oid = t.oid
        UNION ALL
        SELECT DISTINCT ON (p.proname) p.oid, p.proname FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
           AND (p.proargtypes::oid[] || p.prorettype) && ARRAY(SELECT oid FROM reached)
        UNION ALL
        SELECT DISTINCT ON (o.oprname) o.oid, o.oprname FROM pg_catalog.pg_operator o
         WHERE o.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace
           AND ARRAY[o.oprleft, o.oprright, o.oprresult] && ARRAY(SELECT oid FROM reached)
           AND EXISTS (SELECT FROM k WHERE NOT EXISTS (
                 SELECT FROM pg_catalog.pg_operator s
                  WHERE s.oprname = o.oprname AND s.oprleft = k.castsource AND s.oprright = k.castsource))) found
 ORDER BY found.name, found.oid`

/** All columns of PostgreSQL's own catalogs. */
export const SYSTEM_COLUMNS = `
SELECT c.oid::int8::text AS "relationOid", a.attnum, n.nspname AS schema, c.relname AS relation, a.attname AS column
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
 WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v', 'm', 'p', 'f', 't')
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY c.oid, a.attnum`
