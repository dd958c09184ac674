-- The rights that the credential broker needs on a target, and no more. Run it as a superuser, once per server,
-- after the roles of the profiles exist. Tried on PostgreSQL 18; needs 16 or newer.

-- No superuser, no BYPASSRLS, no REPLICATION: it makes roles, and hands out those that it was given.
ALTER ROLE countersign_broker WITH LOGIN CREATEROLE NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS;

-- Since PostgreSQL 16 who creates a role does not inherit from it. With this setting the broker does, so
-- that it may end the backends of a cs_* role and drop or hand on what the role owns.
ALTER ROLE countersign_broker SET createrole_self_grant = 'set, inherit';
