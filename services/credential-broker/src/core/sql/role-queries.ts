/** A role of the pool as it is: what the next session must not inherit, and the memberships that it needs. */
export const ROLE_STATE = `
SELECT r.rolcanlogin AS "canLogin",
       EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.usename = r.rolname) AS "hasBackends",
       EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s WHERE s.setrole = r.oid) AS "hasSettings",
       ARRAY(SELECT pg_catalog.json_build_object(
                      'role', granted.rolname, 'grantor', grantor.rolname,
                      'isLent', m.inherit_option AND NOT m.set_option AND NOT m.admin_option)
               FROM pg_catalog.pg_auth_members m
               JOIN pg_catalog.pg_roles granted ON granted.oid = m.roleid
               JOIN pg_catalog.pg_roles grantor ON grantor.oid = m.grantor
              WHERE m.member = r.oid) AS memberships
  FROM pg_catalog.pg_roles r WHERE r.rolname = $1`

/** The roles that a role is a member of, with the grantor of each. */
export const MEMBERSHIPS = `
SELECT granted.rolname AS role, grantor.rolname AS grantor
  FROM pg_catalog.pg_auth_members m
  JOIN pg_catalog.pg_roles granted ON granted.oid = m.roleid
  JOIN pg_catalog.pg_roles member ON member.oid = m.member
  JOIN pg_catalog.pg_roles grantor ON grantor.oid = m.grantor
 WHERE member.rolname = $1`

/** Ends the connections of a role. */
export const TERMINATE =
  'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = $1'

/** The connections of a role. */
export const BACKENDS = 'SELECT pid FROM pg_catalog.pg_stat_activity WHERE usename = $1'

/**
 * The objects that a role owns in this database, tables first, since their sequences go with them. Objects in no schema
 * are left out (for schemas see `OWNED_SCHEMAS`): default privileges and large objects cannot be given away by the
 * broker, so they stay, and the role is put aside with them.
 */
export const OWNED = `
SELECT o.type, o.schema, o.identity
  FROM pg_catalog.pg_shdepend d
  JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
  CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) o
 WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
   AND d.deptype = 'o' AND r.rolname = $1
   AND d.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND o.schema !~ '^pg_'
 ORDER BY o.type <> 'table', o.identity`

/** The schemas of this database that a role owns. */
export const OWNED_SCHEMAS = `
SELECT n.nspname AS name FROM pg_catalog.pg_namespace n
  JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
 WHERE r.rolname = $1 AND n.nspname !~ '^pg_' ORDER BY 1`

/**
 * The privileges that a role gives others on its new objects in this database: PostgreSQL's defaults, unless altered.
 */
export const DEFAULT_PRIVILEGES = `
SELECT n.nspname AS schema, d.kind, g.rolname AS grantee, a.privilege_type AS privilege, a.is_grantable AS "isGrantable"
  FROM pg_catalog.pg_roles r
 CROSS JOIN LATERAL (
   SELECT 0::pg_catalog.oid AS namespace, k.kind,
          coalesce((SELECT e.defaclacl FROM pg_catalog.pg_default_acl e
                     WHERE e.defaclrole = r.oid AND e.defaclnamespace = 0 AND e.defaclobjtype::text = k.kind),
                   pg_catalog.acldefault(
                     CASE k.kind WHEN 'S' THEN 's' ELSE k.kind END::pg_catalog."char", r.oid)) AS acl
     FROM (VALUES ('r'), ('S'), ('f'), ('T'), ('n')) AS k(kind)
   UNION ALL
   SELECT e.defaclnamespace, e.defaclobjtype::text, e.defaclacl
     FROM pg_catalog.pg_default_acl e WHERE e.defaclrole = r.oid AND e.defaclnamespace <> 0) d
 CROSS JOIN LATERAL pg_catalog.aclexplode(d.acl) a
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.namespace
  LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
 WHERE r.rolname = $1 AND a.grantee <> r.oid
 ORDER BY 1, 2, 3, 4`

/** The number of things that still depend on a role anywhere at the server; its memberships do not count. */
export const LEFTOVERS = `
SELECT count(*)::int AS count
  FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid
 WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND r.rolname = $1
   AND d.classid <> 'pg_catalog.pg_auth_members'::pg_catalog.regclass`

/** The places where base roles may create something: an approved statement could then be made to run their code. */
export const CREATABLE = `
SELECT r.name AS role,
       pg_catalog.has_database_privilege(r.name, pg_catalog.current_database(), 'TEMP') AS temp,
       pg_catalog.has_database_privilege(r.name, pg_catalog.current_database(), 'CREATE') AS database,
       ARRAY(SELECT nspname::text FROM pg_catalog.pg_namespace n
              WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                AND pg_catalog.has_schema_privilege(r.name, n.oid, 'CREATE')) AS schemas
  FROM pg_catalog.unnest($1::text[]) AS r(name)`

/** The roles of a pool that could log in. */
export const OPEN_ROLES =
  'SELECT rolname AS role FROM pg_catalog.pg_roles WHERE rolcanlogin AND pg_catalog.starts_with(rolname, $1)'
