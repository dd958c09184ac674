/** An agent with node-postgres. Needs: npm install pg */
import { readFileSync } from 'node:fs'
import pg from 'pg'

const OURS = 'countersign'
// Host, port, profile, agent and token come from PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD.
const ca = readFileSync(process.env['PGSSLROOTCERT'] ?? 'ca.crt', 'utf8')
const client = new pg.Client({ ssl: { ca }, keepAlive: true })
client.on('notice', (notice) => {
  // Fields: docs/errors.md
  if (notice.schema === OURS)
    console.log(`${notice.constraint} request ${notice.table} until ${notice.dataType}`)
})
await client.connect()
const { rows } = await client.query('select id, email from shop.customers order by id limit 1')
console.log('read', JSON.stringify(rows[0]))
for (const statement of process.argv.slice(2)) {
  try {
    console.log('ran', (await client.query(statement)).rowCount)
  } catch (error) {
    // What is not ours is PostgreSQL's own.
    if (!(error instanceof pg.DatabaseError) || error.schema !== OURS) throw error
    console.log(error.constraint, error.column, error.detail)
  }
}
await client.end()
