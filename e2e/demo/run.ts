/** `npm run demo`: the whole of Countersign on this machine, and its story told with a real psql. */
import { parseArgs } from 'node:util'
import { DEFAULT_INSTANCE, ensureSystemParts, reported, startSystem } from '@countersign/local'
import { messageOf } from '@countersign/kernel'
import { Narrator } from './narrator.ts'
import { tell } from './story.ts'
import { tryByHand } from './try-by-hand.ts'

await reported(async () => {
  const { values } = parseArgs({
    options: {
      exit: { type: 'boolean', default: false },
      instance: { type: 'string', default: DEFAULT_INSTANCE },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  })
  if (values.help) {
    console.log(
      'npm run demo [-- --exit] [-- --instance <name>]\n\nStarts everything, tells the story, then stays up until Ctrl-C.\n' +
        '--exit      stop after the story; status 0 when every step did what it should\n' +
        '--instance  the name of the local instance (demo); several can run side by side',
    )
    return
  }

  const narrator = Narrator(process.stdout)
  const began = performance.now()
  await ensureSystemParts()
  const system = await startSystem({ name: values.instance })
  const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`
  const ready = seconds(began)
  let failures = 0
  try {
    const storyBegan = performance.now()
    failures = await tell(system, narrator)
    const story = seconds(storyBegan)
    const memory = system.memory()
    const mebibytes = Math.round(memory.bytes / 1024 / 1024)
    if (!values.exit) tryByHand(system, narrator)
    narrator.say(
      `ready in ${ready} · story in ${story} · memory ${mebibytes} MiB (PSS of ${memory.processes} processes)`,
    )
    if (failures > 0) narrator.say(`${failures} steps did not do what they should`)
    if (mebibytes > MEMORY_MEBIBYTES_MAX()) {
      narrator.say(`more than ${MEMORY_MEBIBYTES_MAX()} MiB are used`)
      failures++
    }
    if (!values.exit) await interrupted()
  } catch (cause) {
    failures++
    narrator.say(`the story broke off: ${messageOf(cause)}`)
  } finally {
    await system.stop()
  }
  if (values.exit && failures > 0) process.exitCode = 1
})
process.exit()

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve())
    process.once('SIGTERM', () => resolve())
  })
}

function MEMORY_MEBIBYTES_MAX(): number {
  return 1_536
}
