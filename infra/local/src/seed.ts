import { readFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { ROOT } from './paths.ts'
import { scramVerifier } from './scram.ts'
import { SHOP_TABLES, shopRights } from './shop.ts'
import { apiKeys, customers, orders, products } from './shop-rows.ts'

/** The environments of the shop: one database each, `shop_<environment>`. */
export const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const

/** The account with which the credential broker logs in. */
export type BrokerLogin = { readonly user: string; readonly password: string }

/** Makes the shop in three environments, with the roles of its profiles, and the broker's account. */
export async function seedShop(adminUrl: string): Promise<BrokerLogin> {
  const broker = { user: 'countersign_broker', password: randomBytes(24).toString('base64url') }
  await connected(adminUrl, async (client) => {
    await client.query(
      `CREATE ROLE ${broker.user} LOGIN PASSWORD '${scramVerifier(broker.password)}'`,
    )
    await client.query(await readFile(join(ROOT, 'infra', 'local', 'sql', 'broker.sql'), 'utf8'))
    for (const environment of ENVIRONMENTS)
      await client.query(`CREATE DATABASE shop_${environment}`)
  })
  for (const environment of ENVIRONMENTS) {
    await connected(urlOf(adminUrl, `shop_${environment}`), (client) =>
      seedDatabase(client, environment),
    )
  }
  return broker
}

/** The same server, another database. */
export function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl)
  url.pathname = `/${database}`
  return url.href
}

async function seedDatabase(client: pg.Client, environment: string): Promise<void> {
  await client.query('BEGIN')
  await client.query(shopRights.roles(environment))
  await client.query(`SET LOCAL ROLE shop_${environment}_owner`)
  await client.query(SHOP_TABLES)
  await insert(client, 'customers', customers())
  await insert(client, 'products', products())
  await insert(client, 'orders', orders())
  await insert(client, 'api_keys', apiKeys())
  await client.query('RESET ROLE')
  await client.query(shopRights.grants(environment))
  await client.query(await readFile(join(ROOT, 'infra', 'local', 'sql', 'changes.sql'), 'utf8'))
  await client.query('COMMIT')
}

const insert = (client: pg.Client, table: string, rows: readonly object[]): Promise<unknown> =>
  client.query(
    `INSERT INTO shop.${table} SELECT * FROM json_populate_recordset(NULL::shop.${table}, $1)`,
    [JSON.stringify(rows)],
  )

/** Connects without the statement log, in which tests read what agents did. */
async function connected(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: '-c log_statement=none' })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
