/** The tables of the shop. The masking rules must find the sensitive values in them. */
export const SHOP_TABLES = `
CREATE TABLE shop.customers (
  id integer PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, phone text, ssn text,
  card_number text, iban text, created_at timestamptz NOT NULL);
CREATE TABLE shop.products (
  id integer PRIMARY KEY, name text NOT NULL, price_cents integer NOT NULL);
CREATE TABLE shop.orders (
  id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES shop.customers, total_cents integer NOT NULL,
  status text NOT NULL, note text, created_at timestamptz NOT NULL);
CREATE TABLE shop.api_keys (
  id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES shop.customers,
  api_key text NOT NULL, password_hash text NOT NULL);
CREATE VIEW shop.customer_emails AS SELECT id, email FROM shop.customers;
`

/**
 * The roles of an environment. Nobody else may even connect, and nobody but the owner may create
 * anything: a temporary table or a function of the agent's own would change what an approved text does.
 */
export const shopRights = {
  roles: (environment: string): string => `
CREATE ROLE shop_${environment}_owner NOLOGIN;
CREATE ROLE shop_${environment}_reader NOLOGIN;
CREATE ROLE shop_${environment}_writer NOLOGIN;
REVOKE ALL ON DATABASE shop_${environment} FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE shop_${environment} TO
  shop_${environment}_owner, shop_${environment}_reader, shop_${environment}_writer, countersign_broker;
CREATE SCHEMA shop AUTHORIZATION shop_${environment}_owner;
`,
  grants: (environment: string): string => `
GRANT USAGE ON SCHEMA shop TO shop_${environment}_reader, shop_${environment}_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO shop_${environment}_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.customers, shop.products, shop.orders, shop.api_keys
  TO shop_${environment}_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_${environment}_owner IN SCHEMA shop
  GRANT SELECT ON TABLES TO shop_${environment}_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_${environment}_owner IN SCHEMA shop
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO shop_${environment}_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_${environment}_owner IN SCHEMA shop
  GRANT USAGE ON SEQUENCES TO shop_${environment}_writer;
-- To hand out, not to have. Only the owner may also be set: what an approved statement made is given to it.
GRANT shop_${environment}_reader, shop_${environment}_writer TO countersign_broker
  WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
GRANT shop_${environment}_owner TO countersign_broker WITH ADMIN TRUE, INHERIT FALSE, SET TRUE;
`,
}
