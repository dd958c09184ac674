// Seen to fail when `once` in target-admin.ts does not listen to the errors of its connection.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type Instance,
  postgresForTests,
  type PostgresForTests,
  takeInstance,
} from '@countersign/local'
import { profile } from '../core/examples.ts'
import { targetAdmins } from './target-admin.ts'

let instance: Instance
let postgres: PostgresForTests
before(async () => {
  instance = await takeInstance('broker-admin')
  postgres = await postgresForTests({ dir: instance.dir, port: instance.ports.postgres })
})
after(async () => {
  await postgres.stop()
  await instance.release()
})

/** Ways in which a target may end a connection of the broker that is in use. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  'by a statement': ['select pg_terminate_backend(pg_backend_pid())'],
  'between two statements': [
    "select set_config('idle_in_transaction_session_timeout', '50ms', false)",
    'begin',
    'wait',
    'select 1',
  ],
}

for (const [how, statements] of Object.entries(ENDS)) {
  test(`a connection that the target ends in use fails its work, and nothing else: ${how}`, async () => {
    const url = new URL(postgres.adminUrl)
    const [user, password] = [url.username, decodeURIComponent(url.password)]
    await using admins = targetAdmins({
      secret: async () => ({ user, password }),
      certificateAuthorities: undefined,
    })
    const at = {
      ...{ ...profile, host: url.hostname, port: Number(url.port), database: 'postgres' },
      tls: 'Require' as const,
    }
    const uncaught: unknown[] = []
    const note = (thrown: unknown): void => void uncaught.push(thrown)
    process.on('uncaughtException', note)
    await assert.rejects(
      admins.on(at, async (client) => {
        for (const sql of statements) {
          if (sql === 'wait') await new Promise((resolve) => setTimeout(resolve, 500))
          else await client.query(sql)
        }
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    process.off('uncaughtException', note)
    assert.deepEqual(uncaught, [])
    const { rows } = await admins.on(at, (client) => client.query('select 1 as one'))
    assert.deepEqual(rows, [{ one: 1 }])
  })
}
