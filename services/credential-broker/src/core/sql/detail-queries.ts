/** Objects that PostgreSQL itself made have smaller OIDs (FirstNormalObjectId). */
const FIRST_OF_USERS = 16384

/** A short hash of a text, of 16 hexadecimal digits; null of none. */
export const shortHash = (text: string): string =>
  `pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(${text}, 'UTF8')), 'hex'), 16)`

/** The texts of a group in an order of their own, as one. */
const joined = (part: string): string =>
  `pg_catalog.string_agg(${part}, E'\\n' ORDER BY ${part} COLLATE pg_catalog."C")`

/** A routine `p` as it is and what it does, without the rights to it, as one text. */
const routineText = (p: string): string => `(pg_catalog.to_jsonb(${p}) - 'proacl')::pg_catalog.text`

/** A short hash of the routine `p`; empty for one that only computes, which is in C, or made of such (`plain`). */
export const routineDigest = (p: string, plain: string): string => `
  CASE WHEN ${plain} THEN '' ELSE ${shortHash(`pg_catalog.concat(${routineText(p)},
    (SELECT g::pg_catalog.text FROM pg_catalog.pg_aggregate g WHERE g.aggfnoid = ${p}.oid))`)} END`

/** A short hash of the functions of the casts to a type; empty where there are none. */
export const castsDigest = (type: string): string => `
  coalesce((SELECT ${shortHash(joined(routineText('f')))}
     FROM pg_catalog.pg_cast k JOIN pg_catalog.pg_proc f ON f.oid = k.castfunc
    WHERE k.casttarget = ${type} AND f.oid >= ${FIRST_OF_USERS}), '')`

/** A short hash of the labels of an enum `t`, the default and checks of a domain, or the fields of a composite type; else empty. */
export const typeDigest = `
  coalesce(CASE t.typtype
    WHEN 'e' THEN (SELECT ${shortHash(`pg_catalog.string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)`)}
                     FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
    WHEN 'd' THEN ${shortHash(`pg_catalog.concat(ROW(t.typdefaultbin::pg_catalog.text, t.typdefault, t.typnotnull, t.typtypmod),
                     (SELECT ${joined('k.conbin::pg_catalog.text')} FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid))`)}
    WHEN 'c' THEN CASE WHEN c.relkind = 'c' THEN
                    (SELECT ${shortHash(`pg_catalog.string_agg(ROW(a.attname, a.atttypid, a.atttypmod)::pg_catalog.text, ',' ORDER BY a.attnum)`)}
                       FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END
    END, '')`

/** True if an object of one of these OIDs is a function in another language than C, or an operator with one. */
const CODE = `
  SELECT DISTINCT d.classid, d.objid FROM pg_catalog.pg_depend d
   WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
     AND EXISTS (SELECT FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_language l ON l.oid = f.prolang
                  WHERE f.oid = d.refobjid AND f.oid >= ${FIRST_OF_USERS} AND l.lanname NOT IN ('internal', 'c'))
  UNION
  SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
   WHERE d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
     AND EXISTS (SELECT FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc f ON f.oid = o.oprcode
                   JOIN pg_catalog.pg_language l ON l.oid = f.prolang
                  WHERE o.oid = d.refobjid AND f.oid >= ${FIRST_OF_USERS} AND l.lanname NOT IN ('internal', 'c'))`

/** The class of an object, as pg_depend has it. */
const of = (table: string): string => `'pg_catalog.${table}'::pg_catalog.regclass`

/**
 * Everything beside columns, names and kinship that decides what a statement on a relation does, each part as a text, with
 * the object that PostgreSQL notes dependencies of, and (`reaches`) a relation that a statement on it changes too.
 *
 * A foreign key counts for the table that it refers to where its action changes rows of another table, not where it makes a
 * statement fail; TRUNCATE … CASCADE follows each, so its own table has it too. Of indexes those
 * count that ON CONFLICT may choose or that run code; of triggers of PostgreSQL's own those that were disabled.
 */
const PARTS = `
  SELECT t.tgrelid AS relation, ${of('pg_trigger')} AS class, t.oid AS object, 0::oid AS reaches,
         ROW('trigger', t.tgname, t.tgfoid, t.tgtype, t.tgenabled, t.tgattr, t.tgargs, t.tgqual::text, t.tgoldtable, t.tgnewtable,
             t.tgdeferrable, t.tginitdeferred)::text AS part
    FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal OR t.tgconstraint = 0
  UNION ALL
  SELECT t.tgrelid, ${of('pg_trigger')}, t.oid, 0, ROW('own trigger', t.tgfoid, t.tgtype, t.tgconstraint, t.tgenabled)::text
    FROM pg_catalog.pg_trigger t WHERE t.tgisinternal AND t.tgconstraint <> 0 AND t.tgenabled <> 'O'
  UNION ALL
  SELECT r.ev_class, ${of('pg_rewrite')}, r.oid, 0,
         ROW('rule', r.rulename, r.ev_type, r.ev_enabled, r.is_instead, r.ev_qual::text, r.ev_action::text)::text
    FROM pg_catalog.pg_rewrite r WHERE r.ev_class >= ${FIRST_OF_USERS}
  UNION ALL
  SELECT k.conrelid, ${of('pg_constraint')}, k.oid, 0, ROW('check', k.conbin::text, pg_catalog.to_jsonb(k) -> 'conenforced')::text
    FROM pg_catalog.pg_constraint k WHERE k.contype = 'c' AND k.conrelid <> 0 AND k.oid >= ${FIRST_OF_USERS}
  UNION ALL
  SELECT k.confrelid, ${of('pg_constraint')}, k.oid, k.conrelid,
         ROW('foreign key', k.conrelid, k.conkey, k.confkey, k.confupdtype, k.confdeltype, k.condeferrable, k.condeferred,
             pg_catalog.to_jsonb(k) -> 'confdelsetcols', pg_catalog.to_jsonb(k) -> 'conenforced')::text
    FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND (k.confupdtype IN ('c', 'n', 'd') OR k.confdeltype IN ('c', 'n', 'd'))
  UNION ALL
  SELECT k.conrelid, ${of('pg_constraint')}, k.oid, 0, ROW('refers', k.confrelid)::text
    FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0
  UNION ALL
  SELECT p.polrelid, ${of('pg_policy')}, p.oid, 0,
         ROW('policy', p.polname, p.polcmd, p.polpermissive, p.polroles, p.polqual::text, p.polwithcheck::text)::text
    FROM pg_catalog.pg_policy p
  UNION ALL
  SELECT d.adrelid, ${of('pg_attrdef')}, d.oid, 0, ROW('default', d.adnum, d.adbin::text)::text
    FROM pg_catalog.pg_attrdef d WHERE d.oid >= ${FIRST_OF_USERS}
  UNION ALL
  SELECT a.attrelid, ${of('pg_class')}, 0, 0,
         ROW('column', a.attnum, a.atttypmod, a.attcollation, a.attidentity, a.attgenerated, a.attfdwoptions)::text
    FROM pg_catalog.pg_attribute a
   WHERE a.attrelid >= ${FIRST_OF_USERS} AND a.attnum > 0 AND NOT a.attisdropped
     AND (a.atttypmod <> -1 OR a.attidentity <> '' OR a.attgenerated <> '' OR a.attfdwoptions IS NOT NULL
          OR a.attcollation >= ${FIRST_OF_USERS})
  UNION ALL
  SELECT i.indrelid, ${of('pg_class')}, i.indexrelid, 0,
         ROW('index', i.indkey, i.indisunique, i.indimmediate, i.indexprs::text, i.indpred::text,
             pg_catalog.to_jsonb(i) -> 'indnullsnotdistinct')::text
    FROM pg_catalog.pg_index i
   WHERE i.indexrelid >= ${FIRST_OF_USERS}
     AND (i.indisunique OR (${of('pg_class')}, i.indexrelid) IN (SELECT classid, objid FROM code))
  UNION ALL
  SELECT c.oid, ${of('pg_class')}, c.oid, 0,
         ROW(c.relrowsecurity, c.relforcerowsecurity, c.relpartbound::text,
             CASE WHEN c.relkind IN ('v', 'm') THEN ROW(c.relowner, c.reloptions)::text END)::text
    FROM pg_catalog.pg_class c
   WHERE c.oid >= ${FIRST_OF_USERS} AND (c.relrowsecurity OR c.relforcerowsecurity OR c.relispartition OR c.relkind IN ('v', 'm'))
  UNION ALL
  SELECT t.ftrelid, ${of('pg_class')}, t.ftrelid, 0, ROW('foreign', t.ftoptions, s.oid, s.srvfdw, s.srvoptions)::text
    FROM pg_catalog.pg_foreign_table t JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver`

/** The facts beside its columns that decide what a statement on a relation does: a short hash, what it leads to, and that it runs code. */
export const DETAILS = `
WITH code AS MATERIALIZED (${CODE}),
     parts AS MATERIALIZED (${PARTS}),
     led AS (SELECT relation, reaches FROM parts WHERE reaches <> 0
             UNION
             SELECT p.polrelid, d.refobjid FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_depend d
                 ON d.classid = ${of('pg_policy')} AND d.objid = p.oid AND d.refclassid = ${of('pg_class')}
              WHERE d.refobjid <> p.polrelid),
     reached AS (SELECT relation, pg_catalog.json_agg(reaches::int8 ORDER BY reaches) AS reaches FROM led GROUP BY relation),
     described AS (SELECT parts.relation, ${shortHash(joined('parts.part'))} AS digest,
                          pg_catalog.bool_or(code.objid IS NOT NULL) AS "runsCode"
                     FROM parts LEFT JOIN code ON code.classid = parts.class AND code.objid = parts.object
                    GROUP BY parts.relation)
SELECT described.relation::int8::text AS relation, described.digest, described."runsCode",
       coalesce(reached.reaches, '[]') AS reaches
  FROM described LEFT JOIN reached ON reached.relation = described.relation`

/** A short hash of the event triggers with what they run; empty where there are none. */
export const EVENT_TRIGGERS = `
SELECT coalesce(${shortHash(
  joined(
    `pg_catalog.concat(ROW(e.evtname, e.evtevent, e.evtenabled, e.evttags), ${routineText('p')})`,
  ),
)}, '') AS digest
  FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid`
