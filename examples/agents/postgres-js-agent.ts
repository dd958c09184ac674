/** An agent with postgres.js. Needs: npm install postgres */
import { readFileSync } from 'node:fs'
import postgres from 'postgres'

const OURS = 'countersign'
// Host, port, profile, agent and token come from PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD.
const ca = readFileSync(process.env['PGSSLROOTCERT'] ?? 'ca.crt', 'utf8')
const sql = postgres({
  max: 1,
  ssl: { ca },
  onnotice(notice) {
    // Fields: docs/errors.md. This driver hands out no datatype, so the deadline stands in the detail.
    if (notice['schema_name'] === OURS)
      console.log(
        `${notice['constraint_name']} request ${notice['table_name']} ${notice['detail']}`,
      )
  },
})
const [row] = await sql`select id, email from shop.customers order by id limit 1`
console.log('read', JSON.stringify(row))
for (const statement of process.argv.slice(2)) {
  try {
    console.log('ran', (await sql.unsafe(statement)).count)
  } catch (error) {
    // What is not ours is PostgreSQL's own.
    if (!(error instanceof postgres.PostgresError) || error.schema_name !== OURS) throw error
    console.log(error.constraint_name, error.column_name, error.detail)
  }
}
await sql.end()
