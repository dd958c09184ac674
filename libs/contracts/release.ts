/** Keeps today's schemas as those of a release: `node libs/contracts/release.ts <version>`. Later schemas are checked against them. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SCHEMAS } from './src/generated/registry.ts'

const [version] = process.argv.slice(2)
if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
  console.error('usage: node libs/contracts/release.ts <version>, for example 0.1.0')
  process.exit(2)
}
const folder = join(import.meta.dirname, '../../schemas/released')
const file = join(folder, `${version}.json`)
if (existsSync(file)) {
  console.error(`${version} is released already; a release never changes`)
  process.exit(1)
}
mkdirSync(folder, { recursive: true })
const schemas = Object.fromEntries(
  Object.entries(SCHEMAS).map(([type, { schema }]) => [type, schema]),
)
writeFileSync(file, `${JSON.stringify(schemas, null, 1)}\n`)
console.log(`wrote schemas/released/${version}.json; now run: npm run generate`)
