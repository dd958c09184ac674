import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute } from '../execute.ts'
import { interrupted } from '../interrupted.ts'
import { ROOT } from '../paths.ts'
import { say, step } from '../progress.ts'
import { reported } from '../reported.ts'
import { startSystem, type System } from '../system.ts'
import { ensureSystemParts } from '../system-parts.ts'
import { linkCommand } from '../link.ts'
import { typed } from '../typed.ts'
import { waysIn } from '../ways-in.ts'

await reported(async () => {
  const options = typed('up')
  const stopped = interrupted()
  await ensureSystemParts()
  const link = linkCommand()
  if (link !== null) say(link)
  await using system = await startSystem({
    name: options.instance,
    echo: options.flag('logs'),
    keep: true,
    fresh: options.flag('fresh'),
    supervise: true,
  })
  // The catalog is applied only once, so that later changes to it are kept.
  const appliedFile = join(system.instance.dir, 'example-catalog-was-applied')
  if (!options.flag('no-catalog') && !existsSync(appliedFile)) {
    await step('the example catalog: three environments of a shop', () => applied(system))
    writeFileSync(appliedFile, '')
  }
  const { ports, dir } = system.instance
  process.stdout.write(
    [
      `ready: PostgreSQL for agents on port ${ports.proxyPostgres}, console ${system.urls.console}, replay ${system.urls.replay}`,
      `target ${ports.postgres}, Kafka ${ports.kafka}, identity provider ${system.issuer}`,
      `certificate authority ${system.caFile}, logs in ${dir}/logs; Ctrl-C stops everything; data, catalog and secrets stay for the next "npm run up"`,
      ...waysIn(system),
      '',
    ].join('\n'),
  )
  say(`stopping, because of ${await stopped}`)
})

/** Applies the catalog as a person would: with the command line, and the token of somebody who may. */
async function applied({ catalogDir, instance }: System): Promise<void> {
  const args = ['apply', '-f', catalogDir, '--as', 'olga', '--instance', instance.name]
  await execute(process.execPath, [join(ROOT, 'countersign.js'), ...args])
}
