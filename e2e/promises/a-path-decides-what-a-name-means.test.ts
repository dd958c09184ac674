// Meant to fail when `pathConfirmed` in services/proxy/src/shell/search-path.ts always says `same`, when it keeps the portals,
// and when `targetInForce` in services/policy/src/core/path-in-force.ts gives the target along its own path.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { psql } from '../support/agent.ts'
import { countersignCli } from '../support/cli.ts'
import { heldOnWire } from '../support/held.ts'
import { applyCatalog, deny } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { group, openWire, told } from '../support/wire.ts'

const system = await arena('paths')
// Two tenants with the same names. What the second one's hold is masked, and nothing may be written there.
await askTarget(
  system,
  ['tenant_a', 'tenant_b']
    .map(
      (schema) => `create schema ${schema};
        create table ${schema}.t (id int, word text); insert into ${schema}.t values (1, 'in ${schema}');
        grant usage on schema ${schema} to shop_dev_reader, shop_dev_writer;
        grant select, insert on ${schema}.t to shop_dev_reader, shop_dev_writer;`,
    )
    .join('\n'),
  'shop_dev',
)
const applied = await applyCatalog(system, (name, text) => {
  if (name === 'profiles.yaml')
    return text.replace('  record: full\n', '  record: full\n  searchPaths: [tenant_*]\n')
  if (name === 'masking.yaml')
    return text.replace(
      '  columns:\n',
      '  columns:\n    - { schema: tenant_b, table: t, column: word, tag: secret, method: redact }\n',
    )
  if (name === 'chains.yaml') return text.replace('[dev-reviewers]', '[prod-reviewers]')
  if (name === 'dev.cedar')
    return `${text}
      @id("not-in-b")
      forbid (principal, action == Countersign::Action::"write", resource)
      when { resource has schema && resource.schema == "tenant_b" };`
  return text
})
assert.equal(applied.status, 200, JSON.stringify(applied.body))

const A = 'set search_path = tenant_a'
const B = 'set search_path = tenant_b'
const LOCAL_A = 'set local search_path to tenant_a'
const LOCAL_B = 'set local search_path to tenant_b'
const READ = 'select upper(word) from t where id = 1'
const IN_A = 'row IN TENANT_A'
const IN_B = 'row [masked]'
const NOWHERE = 'error 42P01'
const SYNC = toServer.sync()
const WRITE = "insert into t values (2, 'more')"

const run = (sql: string): Buffer => toServer.query(sql)
const prepare = (sql: string): Buffer => toServer.parse('s', sql)
const unnamed = toServer.bind({ portal: 'p' })
const bound = toServer.bind({ portal: 'p', statement: 's' })
const executed = Buffer.concat([toServer.bind({ statement: 's' }), toServer.execute()])

/** What an agent sends, waiting after each, and the rows and errors that it is told. */
const SAYS: Readonly<Record<string, readonly [sent: readonly Buffer[], rows: readonly string[]]>> =
  {
    'a path that is set is the one that names are looked up along': [
      [run(READ), run(A), run(READ), run(B), run(READ), run('reset search_path'), run(READ)],
      [NOWHERE, IN_A, IN_B, NOWHERE],
    ],
    'what is covered along one path is not along another, and is again when it comes back': [
      [run(A), run(READ), run(READ), run(B), run(READ), run(A), run(READ), run(B), run(READ)],
      [IN_A, IN_A, IN_B, IN_A, IN_B],
    ],
    'SET LOCAL ends with its transaction': [
      [run('begin'), run(LOCAL_A), run(READ), run(LOCAL_B), run(READ), run('commit'), run(READ)],
      [IN_A, IN_B, NOWHERE],
    ],
    'a rollback takes SET back': [
      [run(A), run('begin'), run(B), run(READ), run('rollback'), run(READ)],
      [IN_B, IN_A],
    ],
    'a rollback to a savepoint takes SET back': [
      [
        ...[run('begin'), run(LOCAL_A), run(READ), run('savepoint s'), run(LOCAL_B), run(READ)],
        ...[run('rollback to s'), run(READ), run('commit')],
      ],
      [IN_A, IN_B, IN_A],
    ],
    'an error takes SET back': [
      [run(B), run('begin'), run(A), run('select 1/0'), run('rollback'), run(READ)],
      ['error 22012', IN_B],
    ],
    'in one pipeline too': [
      [
        Buffer.concat([group(A), group(READ), group(B), group(READ), group(A), group(READ), SYNC]),
        Buffer.concat([
          group('begin'),
          group(LOCAL_B),
          group(READ),
          group('commit'),
          group(READ),
          SYNC,
        ]),
      ],
      [IN_A, IN_B, IN_A, IN_B, IN_A],
    ],
    'set_config is a SET, whatever its values come as': [
      [
        run("select set_config('search_path', 'tenant_a', false) is null"),
        run(READ),
        Buffer.concat([
          group('select set_config($1, $2, false) is null', 'search_path', 'tenant_b'),
          group(READ),
          SYNC,
        ]),
      ],
      ['row f', IN_A, 'row f', IN_B],
    ],
    'a statement that was prepared along one path is decided along the one that it runs under': [
      [
        ...[run(A), Buffer.concat([prepare(READ), executed, SYNC]), run(B)],
        ...[Buffer.concat([executed, SYNC]), run('begin'), run(LOCAL_A)],
        ...[Buffer.concat([executed, SYNC]), run('rollback'), Buffer.concat([executed, SYNC])],
      ],
      [IN_A, IN_B, IN_A, IN_B],
    ],
    'a portal that was bound along one path does not run under another': [
      [
        ...[run('begin'), run(LOCAL_B), Buffer.concat([prepare(READ), bound, SYNC]), run(LOCAL_A)],
        ...[Buffer.concat([toServer.execute('p'), SYNC]), run('rollback')],
        Buffer.concat([
          ...[group('begin'), group(LOCAL_B), toServer.parse('', READ), unnamed, group(LOCAL_A)],
          ...[toServer.execute('p'), SYNC],
        ]),
      ],
      ['error 34000', 'error 34000'],
    ],
    'a cursor shows what it was declared along': [
      [
        ...[run('begin'), run(LOCAL_B), run(`declare c cursor for ${READ}`), run(LOCAL_A)],
        ...[run('fetch c'), run('commit')],
      ],
      [IN_B],
    ],
    'what may be written along one path may not along another': [
      [run(A), run(WRITE), run(WRITE), run(B), run(WRITE), run(A), run(WRITE)],
      ['error 42C01'],
    ],
    'what the profile does not list is refused, and the path stays': [
      [
        run(A),
        run('set search_path = public, tenant_a'),
        run('set search_path = pg_temp'),
        run(READ),
      ],
      ['error', 'error', IN_A],
    ],
    'a text that changes the path does nothing else behind it': [[run(`${A}; ${READ}`)], ['error']],
    'no temporary table hides what another path would find': [
      [run('create temp table t (id int)')],
      ['error'],
    ],
  }

for (const [what, [sent, rows]] of Object.entries(SAYS)) {
  test(what, async () => {
    const wire = await openWire(system, 'shop-dev')
    const heard: string[] = []
    for (const bytes of sent) {
      wire.send(bytes)
      heard.push(...told(await wire.ready()).filter((line) => /^(row|error)/.test(line)))
    }
    wire.end()
    const codes = rows.map((row) => row === 'error')
    assert.deepEqual(
      heard.map((line, at) => (codes[at] === true ? line.replace(/ .*/, '') : line)),
      rows,
    )
  })
}

test('a session may begin with a path, as a parameter and in options, and RESET leads back to it', async () => {
  for (const startup of [
    [['search_path', 'tenant_b']],
    [['options', '-c search_path=tenant_b']],
  ] as const) {
    const wire = await openWire(system, 'shop-dev', { startup })
    const heard: string[] = []
    for (const sql of [READ, A, READ, 'reset all', READ, A, B, READ]) {
      wire.send(run(sql))
      heard.push(...told(await wire.ready()).filter((line) => /^(row|error)/.test(line)))
    }
    wire.end()
    assert.deepEqual(heard, [IN_B, IN_A, IN_B, IN_B])
  }
})

test('no session begins with a path that its profile does not list', async () => {
  for (const PGOPTIONS of ['-c search_path=evil', '-c search_path=tenant_a,shop']) {
    const ran = await psql(system, {
      profile: 'shop-dev',
      env: { PGOPTIONS },
      commands: ['select 1'],
    })
    assert.match(ran.stderr, /CS_STARTUP_PARAMETER_REFUSED[\s\S]*searchPaths/)
  }
  const own = { PGOPTIONS: '-c search_path="$user",public' }
  const ran = await psql(system, { profile: 'shop-dev', env: own, commands: ['select 7 as seven'] })
  assert.match(ran.stdout, /7/, ran.stderr)
})

test('the reviewer sees the path under which a text is asked about', async () => {
  const wire = await openWire(system, 'shop-dev')
  for (const [sql, settings] of [
    [A, [{ name: 'search_path', value: '"tenant_a"' }]],
    ['set search_path = "$user", public', []],
  ] as const) {
    wire.send(run(sql))
    await wire.ready()
    wire.send(run('create table u (id int)'))
    const requestId = await heldOnWire(wire)
    const { stdout } = await countersignCli(system, 'show', requestId, '--json', '--as', 'ana')
    assert.deepEqual(JSON.parse(stdout).exact.settings, settings)
    assert.equal((await deny(system, 'ana', requestId, 'no')).status, 200)
    await wire.ready()
  }
  wire.end()
})
