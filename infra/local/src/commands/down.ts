import { setTimeout as delay } from 'node:timers/promises'
import { dirOf, forget, isKept, ownerOf } from '../instance.ts'
import { endAlone, endLeftovers } from '../leftovers.ts'
import { reported } from '../reported.ts'
import { typed } from '../typed.ts'

const STOP_LIMIT_MS = 20_000

await reported(async () => {
  const options = typed('down')
  const name = options.instance
  const owner = ownerOf(name)
  if (owner !== null) process.kill(owner.pid, 'SIGTERM')
  const until = performance.now() + STOP_LIMIT_MS
  while (ownerOf(name) !== null && performance.now() < until) await delay(50)
  const left = (await endLeftovers(dirOf(name))) + (await endAlone(dirOf(name)))
  if (options.flag('delete')) await forget(name)
  if (owner === null && left === 0) process.stdout.write(`the instance ${name} is not running\n`)
  else
    process.stdout.write(
      `the instance ${name} is stopped${left > 0 ? `; ${left} leftovers were ended` : ''}\n`,
    )
  if (isKept(name))
    process.stdout.write(`its data are kept for "npm run up"; --delete deletes them\n`)
  else if (options.flag('delete')) process.stdout.write('its data are deleted\n')
})
