import { checks } from '../checks.ts'
import { kafkaClassPath } from '../kafka-jars.ts'
import { reported } from '../reported.ts'
import { typed } from '../typed.ts'
import { conclude, FILES, tests } from '../suites.ts'
import { ensureSystemParts } from '../system-parts.ts'

typed('test')
await reported(async () => {
  await ensureSystemParts()
  await kafkaClassPath()
  conclude([
    ...(await checks()),
    await tests('integration tests', FILES.integration(), [
      '--test-concurrency=2',
      '--test-timeout=180000',
    ]),
    await tests('end-to-end tests', FILES.e2e(), ['--test-concurrency=1', '--test-timeout=300000']),
  ])
})
