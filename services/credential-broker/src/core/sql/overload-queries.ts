import { isPlain } from './type-queries.ts'

/** Objects that PostgreSQL itself made have smaller OIDs (FirstNormalObjectId). */
const FIRST_OF_USERS = 16384

/** True if only values of the type itself, of other types of the target, and literals can become values of it unasked. */
const isOwn = (oid: string): string =>
  `EXISTS (SELECT FROM pg_catalog.pg_type o
     WHERE o.oid = ${oid} AND o.oid >= ${FIRST_OF_USERS} AND o.typtype IN ('b', 'e', 'r', 'm') AND o.typcategory <> 'A'
       AND NOT o.typispreferred
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast k
                        WHERE k.casttarget = o.oid AND k.castcontext = 'i' AND k.castsource < ${FIRST_OF_USERS}))`

/**
 * When PostgreSQL chooses the routine `p` instead of its own function of that name (func_select_candidate). With the same
 * arguments the first schema of the path has it: never, where that is pg_catalog. Where the two differ only in arguments of
 * types of the target, which are texts in PostgreSQL's own, a literal is taken for a text: only values of such a type lead
 * to it. Where it has such an argument at all, those or a literal do.
 */
export const OVERLOADS = `
  CASE WHEN p.provariadic = 0 AND p.pronargdefaults = 0 AND EXISTS (
              SELECT FROM pg_catalog.pg_proc b
               WHERE b.oid < ${FIRST_OF_USERS} AND b.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
                 AND b.proname = p.proname AND b.provariadic = 0 AND b.proargtypes = p.proargtypes)
       THEN 'never'
       WHEN p.provariadic = 0 AND p.pronargdefaults = 0 AND EXISTS (
              SELECT FROM pg_catalog.pg_proc b
               WHERE b.oid < ${FIRST_OF_USERS} AND b.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
                 AND b.proname = p.proname AND b.provariadic = 0 AND b.pronargs = p.pronargs
                 AND NOT EXISTS (SELECT FROM pg_catalog.generate_series(0, p.pronargs - 1) i
                                  WHERE b.proargtypes[i] <> p.proargtypes[i]
                                    AND NOT (b.proargtypes[i] = 'pg_catalog.text'::pg_catalog.regtype
                                             AND ${isOwn('p.proargtypes[i]')})))
       THEN 'values'
       WHEN p.provariadic = 0 AND EXISTS (
              SELECT FROM pg_catalog.generate_series(0, p.pronargs - p.pronargdefaults - 1) i
               WHERE ${isOwn('p.proargtypes[i]')})
       THEN 'literals'
       ELSE 'always' END`

/**
 * True if the routine `p` only computes, and so do the conversions of its arguments: a function in C is taken at its word, and
 * an aggregate is what its functions are.
 */
export const isPlainRoutine = `
  (NOT p.prosecdef
   AND CASE WHEN p.prokind = 'a' THEN EXISTS (
              SELECT FROM pg_catalog.pg_aggregate a
               WHERE a.aggfnoid = p.oid
                 AND ${[
                   ...['aggtransfn', 'aggfinalfn', 'aggcombinefn', 'aggserialfn', 'aggdeserialfn'],
                   ...['aggmtransfn', 'aggminvtransfn', 'aggmfinalfn'],
                 ]
                   .map((field) => isPlain(`a.${field}`))
                   .join(' AND ')}
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t
                                  WHERE t.oid IN (a.aggtranstype, a.aggmtranstype) AND t.oid >= ${FIRST_OF_USERS}
                                    AND (t.typtype <> 'b' OR NOT ${isPlain('t.typinput')})))
            ELSE ${isPlain('p.oid')} END
   AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) g(oid)
                     JOIN pg_catalog.pg_type t ON t.oid = g.oid
                    WHERE t.oid >= ${FIRST_OF_USERS}
                      AND (t.typtype NOT IN ('b', 'e') OR t.typcategory = 'A' OR NOT ${isPlain('t.typinput')}
                           OR EXISTS (SELECT FROM pg_catalog.pg_cast k
                                       WHERE k.casttarget = t.oid AND NOT ${isPlain('k.castfunc')}))))`
