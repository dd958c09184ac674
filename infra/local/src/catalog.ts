import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from './paths.ts'

/** Copies the example catalog for an instance: the same files, with the port of its own PostgreSQL. */
export async function writeCatalog(dir: string, postgresPort: number): Promise<string> {
  const target = join(dir, 'catalog')
  await cp(join(ROOT, 'infra', 'local', 'catalog'), target, { recursive: true })
  for (const name of await readdir(target)) {
    if (!/\.ya?ml$/.test(name)) continue
    const file = join(target, name)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replaceAll('${POSTGRES_PORT}', String(postgresPort)))
  }
  return target
}
