import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { execute } from '../execute.ts'
import { DEFAULT_INSTANCE } from '../instance.ts'
import { interrupted } from '../interrupted.ts'
import { ROOT } from '../paths.ts'
import { say, step } from '../progress.ts'
import { reported } from '../reported.ts'
import { startSystem, type System } from '../system.ts'
import { ensureSystemParts } from '../system-parts.ts'

await reported(async () => {
  const { values } = parseArgs({
    options: {
      instance: { type: 'string', default: DEFAULT_INSTANCE },
      logs: { type: 'boolean', default: false },
      'no-catalog': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  })
  if (values.help) return void process.stdout.write(help())
  const stopped = interrupted()
  await ensureSystemParts()
  await using system = await startSystem({ name: values.instance, echo: values.logs })
  if (!values['no-catalog'])
    await step('the example catalog: three environments of a shop', () => applied(system))
  const { ports, dir } = system.instance
  process.stdout.write(
    [
      `ready: PostgreSQL for agents on port ${ports.proxyPostgres}, console ${system.urls.console}, replay ${system.urls.replay}`,
      `target ${ports.postgres}, Kafka ${ports.kafka}, identity provider ${system.issuer}`,
      `certificate authority ${system.caFile}, logs in ${dir}/logs; Ctrl-C stops everything`,
      '',
    ].join('\n'),
  )
  say(`stopping, because of ${await stopped}`)
})

/** As a person would: with the command line, and the token of somebody who may. */
async function applied({ catalogDir, instance }: System): Promise<void> {
  const args = ['apply', '-f', catalogDir, '--as', 'olga', '--instance', instance.name]
  await execute(process.execPath, [join(ROOT, 'countersign.js'), ...args])
}

function help(): string {
  return `npm run up [-- --instance <name>] [-- --logs] [-- --no-catalog]

Starts Kafka, PostgreSQL with a shop, the identity provider and all services, applies the example catalog, and stays up
until Ctrl-C or "npm run down". "npm run demo" tells a story on the same.

--instance    the name of the local instance (${DEFAULT_INSTANCE}); several can run side by side
--logs        print what the services log, too
--no-catalog  leave the catalog empty; then: npx countersign apply -f <folder> --as olga
`
}
