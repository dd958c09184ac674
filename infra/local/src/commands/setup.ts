import { kafkaClassPath } from '../kafka-jars.ts'
import { ensureSystemParts } from '../system-parts.ts'
import { reported } from '../reported.ts'

await reported(async () => {
  await ensureSystemParts()
  await kafkaClassPath()
  process.stdout.write('everything is here: npm run demo, npm test\n')
})
