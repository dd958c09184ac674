// Seen to fail when a `start` script names another file than `src/main.ts`.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Child, isReady, ROOT, startChild } from '@countersign/local'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventually } from '../support/ledger.ts'

const system = await arena('alone')
const alone: Child[] = []
after(() => ended('SIGKILL'))

for (const service of system.services) {
  test(`${service.name} starts from its own folder with npm start`, async () => {
    await service.stop()
    const { dir } = system.instance
    const child = startChild({
      dir,
      name: `${service.name}-alone`,
      file: 'npm',
      args: ['start', '--silent'],
      cwd: join(ROOT, 'services', service.name),
      // Only the variables that are needed to find the settings, which stand in the file that the `start` script names.
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        CS_INSTANCE: system.instance.name,
      },
    })
    alone.push(child)
    await eventually(
      `${service.name} that is ready`,
      async () => {
        assert.ok(child.running(), child.lastLines())
        return isReady(service.healthPort)
      },
      30_000,
    )
  })
}

test('a statement passes through services that were all started alone', async () => {
  const run = await eventually(
    'a statement that passes',
    async () => {
      const tried = await psql(system, { profile: 'shop-prod', commands: ['select 40 + 2'] })
      return tried.status === 0 ? tried : false
    },
    15_000,
  )
  assert.match(run.stdout, /42/)
})

test('all of them drain and end when their terminal is closed', async () => {
  await ended('SIGTERM')
  for (const { healthPort } of system.services) assert.equal(await isReady(healthPort), false)
})

/** Signals each process group as a whole, as a terminal does, because npm does not pass signals on. */
async function ended(signal: NodeJS.Signals): Promise<void> {
  const running = alone.filter((child) => child.running())
  for (const { pid } of running) process.kill(-pid, signal)
  await Promise.all(running.map(({ exited }) => exited))
}
