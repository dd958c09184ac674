/** An agent with postgres.js. Needs: npm install postgres */
import { readFileSync } from 'node:fs'
import postgres from 'postgres'

const OURS = 'countersign'
const PATIENCE_SECONDS = Number(process.env['PATIENCE_SECONDS'] ?? 3600)
// Host, port, profile, agent and token come from PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD.
const ca = readFileSync(process.env['PGSSLROOTCERT'] ?? 'ca.crt', 'utf8')
const sql = postgres({
  max: 1,
  ssl: { ca },
  onnotice(notice) {
    // The fields of a notice are explained in docs/errors.md.
    if (notice['schema_name'] === OURS)
      console.log(
        `${notice['constraint_name']} request ${notice['table_name']} until ${notice['data type_name']}`,
      )
  },
})
const [row] = await sql`select id, email from shop.customers order by id limit 1`
console.log('read', JSON.stringify(row))
for (const statement of process.argv.slice(2)) {
  const running = sql.unsafe(statement)
  const givingUp = setTimeout(() => running.cancel(), 1_000 * PATIENCE_SECONDS)
  try {
    console.log('ran', (await running).count)
  } catch (error) {
    // An error without this schema name is no refusal of Countersign: it comes from PostgreSQL or the connection.
    if (!(error instanceof postgres.PostgresError) || error.schema_name !== OURS) throw error
    console.log(error.constraint_name, error.column_name, error.detail)
  } finally {
    clearTimeout(givingUp)
  }
}
await sql.end()
