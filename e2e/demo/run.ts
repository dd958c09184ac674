/** `npm run demo`: the whole of Countersign on this machine, and its story told with a real psql. */
import {
  ensureSystemParts,
  linkCommand,
  reported,
  say,
  startSystem,
  typed,
} from '@countersign/local'
import { messageOf } from '@countersign/kernel'
import { Narrator } from './narrator.ts'
import { tell } from './story.ts'
import { tryByHand } from './try-by-hand.ts'

await reported(async () => {
  const options = typed('demo')
  const isToExit = options.flag('exit')
  const narrator = Narrator(process.stdout)
  const began = performance.now()
  await ensureSystemParts()
  const link = linkCommand()
  if (link !== null) say(link)
  const system = await startSystem({ name: options.instance, supervise: !isToExit })
  const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`
  const ready = seconds(began)
  let failures = 0
  try {
    const storyBegan = performance.now()
    failures = await tell(system, narrator)
    const story = seconds(storyBegan)
    const memory = system.memory()
    const mebibytes = Math.round(memory.bytes / 1024 / 1024)
    if (!isToExit) tryByHand(system, narrator)
    narrator.say(
      `ready in ${ready} · story in ${story} · memory ${mebibytes} MiB (PSS of ${memory.processes} processes)`,
    )
    if (failures > 0) narrator.say(`${failures} steps did not do what they should`)
    if (mebibytes > MEMORY_MEBIBYTES_MAX()) {
      narrator.say(`more than ${MEMORY_MEBIBYTES_MAX()} MiB are used`)
      failures++
    }
    if (!isToExit) await interrupted()
  } catch (cause) {
    failures++
    narrator.say(`the story broke off: ${messageOf(cause)}`)
  } finally {
    await system.stop()
  }
  if (isToExit && failures > 0) process.exitCode = 1
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
