import { kafkaClassPath } from '../kafka-jars.ts'
import { linkCommand, unlinkCommand } from '../link.ts'
import { say } from '../progress.ts'
import { reported } from '../reported.ts'
import { ensureSystemParts } from '../system-parts.ts'
import { typed } from '../typed.ts'

await reported(async () => {
  if (typed('setup').flag('unlink')) {
    const links = unlinkCommand()
    process.stdout.write(
      links.length === 0 ? 'there is no link to this folder\n' : `removed ${links.join(', ')}\n`,
    )
    return
  }
  await ensureSystemParts()
  await kafkaClassPath()
  const link = linkCommand()
  if (link !== null) say(link)
  process.stdout.write('everything is here: npm run demo, npm test\n')
})
