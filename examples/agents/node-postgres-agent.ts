/** An agent with node-postgres. Needs: npm install pg */
import { readFileSync } from 'node:fs'
import pg from 'pg'

const OURS = 'countersign'
const PATIENCE_SECONDS = Number(process.env['PATIENCE_SECONDS'] ?? 3600)
// Host, port, profile, agent and token come from PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD.
const ca = readFileSync(process.env['PGSSLROOTCERT'] ?? 'ca.crt', 'utf8')
// A cancel goes over a connection of its own. The types of node-postgres lack these two members.
type Client = pg.Client & { cancel?(other: pg.Client, query: unknown): void; activeQuery?: unknown }
const client: Client = new pg.Client({ ssl: { ca }, keepAlive: true })
client.on('notice', (notice) => {
  // The fields of a notice are explained in docs/errors.md.
  if (notice.schema === OURS)
    console.log(`${notice.constraint} request ${notice.table} until ${notice.dataType}`)
})
await client.connect()
const { rows } = await client.query('select id, email from shop.customers order by id limit 1')
console.log('read', JSON.stringify(rows[0]))
for (const statement of process.argv.slice(2)) {
  const giveUp = (): void => {
    const other: Client = new pg.Client({ ssl: { ca } })
    other.cancel?.(client, client.activeQuery)
  }
  const givingUp = setTimeout(giveUp, 1_000 * PATIENCE_SECONDS)
  try {
    console.log('ran', (await client.query(statement)).rowCount)
  } catch (error) {
    // An error without this schema name is no refusal of Countersign: it comes from PostgreSQL or the connection.
    if (!(error instanceof pg.DatabaseError) || error.schema !== OURS) throw error
    console.log(error.constraint, error.column, error.detail)
  } finally {
    clearTimeout(givingUp)
  }
}
await client.end()
