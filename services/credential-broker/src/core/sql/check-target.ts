/** The roles among these ($1) that exist. */
export const presentRoles = `SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1::text[])`

/** The roles among these ($1) that the asking user may grant: as a superuser, or as a member with the admin option. */
export const grantedRoles = `
SELECT r.rolname AS name FROM pg_catalog.pg_roles r
WHERE r.rolname = ANY ($1::text[])
  AND (EXISTS (SELECT FROM pg_catalog.pg_roles me WHERE me.rolname = current_user AND me.rolsuper)
    OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles me ON me.oid = m.member
               WHERE m.roleid = r.oid AND me.rolname = current_user AND m.admin_option))`

/**
 * The powers of base roles ($1) that get around an approval: attributes, roles that are lent ($2), powerful predefined
 * roles, ownership.
 */
export const strength = `
SELECT r.rolname AS name, what.text AS what FROM pg_catalog.pg_roles r
CROSS JOIN LATERAL (
  SELECT 'is a superuser' AS text WHERE r.rolsuper
  UNION ALL SELECT 'may create roles' WHERE r.rolcreaterole
  UNION ALL SELECT 'may create databases' WHERE r.rolcreatedb
  UNION ALL SELECT 'may replicate' WHERE r.rolreplication
  UNION ALL SELECT 'gets around row security' WHERE r.rolbypassrls
  UNION ALL SELECT 'may log in' WHERE r.rolcanlogin
  UNION ALL SELECT 'is a member of ' || o.rolname FROM pg_catalog.pg_roles o
    WHERE o.oid <> r.oid AND NOT r.rolsuper AND pg_catalog.pg_has_role(r.oid, o.oid, 'MEMBER')
      AND (o.rolname = ANY ($2::text[]) OR o.rolname IN ('pg_read_server_files', 'pg_write_server_files',
        'pg_execute_server_program', 'pg_read_all_data', 'pg_write_all_data', 'pg_signal_backend', 'pg_maintain',
        'pg_create_subscription', 'pg_database_owner'))
  UNION ALL SELECT 'owns ' || n.nspname || '.' || c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') LIMIT 20
) what
WHERE r.rolname = ANY ($1::text[])
ORDER BY 1, 2`

/**
 * The other roles that may log in to this database: without the asking user, superusers and the roles of our sessions.
 */
export const otherLogins = `
SELECT r.rolname AS name FROM pg_catalog.pg_roles r
WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> current_user AND r.rolname NOT LIKE 'cs\\_%'
  AND pg_catalog.has_database_privilege(r.oid, $1, 'CONNECT')
ORDER BY 1 LIMIT 50`
