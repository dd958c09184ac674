import { setTimeout as delay } from 'node:timers/promises'
import { dirOf, ownerOf } from '../instance.ts'
import { endLeftovers } from '../leftovers.ts'
import { reported } from '../reported.ts'
import { typed } from '../typed.ts'

const STOP_LIMIT_MS = 20_000

await reported(async () => {
  const { instance: name } = typed('down')
  const owner = ownerOf(name)
  if (owner !== null) process.kill(owner.pid, 'SIGTERM')
  const until = performance.now() + STOP_LIMIT_MS
  while (ownerOf(name) !== null && performance.now() < until) await delay(50)
  const left = await endLeftovers(dirOf(name))
  if (owner === null && left === 0) process.stdout.write(`the instance ${name} is not running\n`)
  else
    process.stdout.write(
      `the instance ${name} is stopped${left > 0 ? `; ${left} leftovers were ended` : ''}\n`,
    )
})
