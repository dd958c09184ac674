// Seen to fail when `performer` in services/credential-broker/src/shell/perform.ts puts the password into `CredentialIssued` beside
// the sealed one, and when `openSession` in services/proxy/src/shell/open-session.ts logs the password, or takes the token for the
// `applicationName` of `SessionRequested`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readFile } from 'node:fs/promises'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { findsIn } from '../support/encodings.ts'
import { everythingKept } from '../support/kept.ts'
import { archivedSessions, eventually, observe } from '../support/ledger.ts'
import { passwordIn } from '../support/role-password.ts'
import { askTarget } from '../support/target.ts'
import { openWire } from '../support/wire.ts'

const system = await arena('credential')

test("neither the password of a session's role nor the agent's token stands anywhere but in the proxy", async () => {
  const token = await system.tokenFor('ci-deploy')
  const heard: Buffer[] = []
  const wire = await openWire(system, 'shop-prod', {
    token,
    onBytes: (bytes) => void heard.push(bytes),
  })
  for (const sql of ["select 'in'", 'select 1/0', 'select * from pg_settings', 'nonsense']) {
    wire.send(toServer.query(sql))
    await wire.ready()
  }
  // The verifier is read now, because at the end of the session the role gets another one.
  const [role] = await askTarget(
    system,
    "select rolname, rolpassword from pg_authid where rolname like 'cs\\_%' and rolcanlogin",
  )
  const verifier = String(role?.['rolpassword'])
  assert.match(verifier, /^SCRAM-SHA-256\$/)
  await using log = await observe(system)
  wire.send(toServer.terminate())
  await wire.closed
  await eventually('the archive', async () => (await archivedSessions(system)).length === 1, 60_000)

  const kept = await everythingKept(system, log)
  const places = [
    ...kept.clear,
    ...kept.opened,
    ...kept.openedInArchives,
    { name: 'the agent', bytes: Buffer.concat(heard) },
    { name: 'the log of the target', bytes: await readFile(system.targetLogFile) },
  ]
  const [, claims = '', signature = ''] = token.split('.')
  const found = places.flatMap(({ name, bytes }) => [
    ...(passwordIn(bytes, verifier) === null ? [] : [`${name} has the password of the role`]),
    ...[claims, signature].flatMap((secret) => {
      const encoding = findsIn(bytes)(secret)
      return encoding === null ? [] : [`${name} has the token as ${encoding}`]
    }),
  ])
  assert.deepEqual(found, [])
})
