import { parseArgs } from 'node:util'
import { DEFAULT_INSTANCE } from '../instance.ts'
import { interrupted } from '../interrupted.ts'
import { say } from '../progress.ts'
import { reported } from '../reported.ts'
import { startSystem } from '../system.ts'
import { ensureSystemParts } from '../system-parts.ts'

await reported(async () => {
  const { values } = parseArgs({
    options: {
      instance: { type: 'string', default: DEFAULT_INSTANCE },
      logs: { type: 'boolean', default: false },
    },
  })
  const stopped = interrupted()
  await ensureSystemParts()
  await using system = await startSystem({ name: values.instance, echo: values.logs })
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
