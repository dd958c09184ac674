import { kafkaClassPath } from '../kafka-jars.ts'
import { reported } from '../reported.ts'
import { typed } from '../typed.ts'
import { conclude, FILES, tests } from '../suites.ts'
import { ensureSystemParts } from '../system-parts.ts'

typed('test:long')
await reported(async () => {
  await ensureSystemParts('clients')
  await kafkaClassPath()
  conclude([
    await tests('long tests', FILES.long(), ['--test-concurrency=1', '--test-timeout=1800000']),
  ])
})
