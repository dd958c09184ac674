// Meant to fail when `pathConfirmed` in services/proxy/src/shell/search-path.ts always says `same`, when it keeps the portals,
// and when `targetInForce` in services/policy/src/core/path-in-force.ts gives the target along its own path.
// Seen to fail when a guard (services/proxy/src/core/path-guard.ts) does not look at the path, when `takeFrames` in
// shell/answers.ts leaves the transaction failed behind its end, and when `ownPassage` in core/own-passage.ts does not close
// what failed before.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { psql } from '../support/agent.ts'
import { countersignCli } from '../support/cli.ts'
import { heldOnWire } from '../support/held.ts'
import { eventsOf, eventually, newestSession, observe } from '../support/ledger.ts'
import { applyCatalog, deny } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { group, openWire, told } from '../support/wire.ts'

const system = await arena('paths')
/** A name of 63 bytes, the longest that PostgreSQL keeps. */
const LONGEST = `tenant_${'l'.repeat(56)}`
// Tenants with tables of the same names. The rows of tenant_b and of the longest one are masked, and nobody may write there.
await askTarget(
  system,
  ['tenant_a', 'tenant_b', 'tenant_c', LONGEST]
    .map(
      (schema) => `create schema ${schema};
        create table ${schema}.t (id int, word text); insert into ${schema}.t values (1, 'in ${schema}');
        grant usage on schema ${schema} to shop_dev_reader, shop_dev_writer;
        grant select, insert on ${schema}.t to shop_dev_reader, shop_dev_writer;`,
    )
    .join('\n') +
    `revoke usage on schema tenant_c from shop_dev_reader, shop_dev_writer;
    create function tenant_a.moves() returns int language plpgsql as
      $$ begin perform set_config('search_path', 'tenant_b', false); return 1; end $$;
    create function tenant_a.moved() returns trigger language plpgsql as
      $$ begin perform tenant_a.moves(); return new; end $$;
    create table tenant_a.triggered (id int);
    create trigger moved before insert on tenant_a.triggered for each row execute function tenant_a.moved();
    create table tenant_a.deferred (id int);
    create constraint trigger moved after insert on tenant_a.deferred deferrable initially deferred
      for each row execute function tenant_a.moved();
    create table tenant_a.filled (id int, word int default tenant_a.moves());
    create table tenant_a.sometimes (id int);
    create trigger moved before insert on tenant_a.sometimes for each row when (new.id = 2) execute function tenant_a.moved();
    create table tenant_a.later (id int);
    create function tenant_a.harmless() returns trigger language plpgsql as $$ begin return new; end $$;
    create table tenant_a.replaced (id int);
    create trigger harmless before insert on tenant_a.replaced for each row execute function tenant_a.harmless();
    create view tenant_a.seen as select tenant_a.moves() as one;
    grant execute on all functions in schema tenant_a to public;
    grant select, insert on all tables in schema tenant_a to shop_dev_reader, shop_dev_writer;`,
  'shop_dev',
)
const applied = await applyCatalog(system, (name, text) => {
  if (name === 'profiles.yaml')
    return text.replace(
      '  record: full\n',
      '  record: full\n  searchPaths: [tenant_*, [tenant_*, tenant_*]]\n',
    )
  if (name === 'masking.yaml')
    return text.replace(
      '  columns:\n',
      `  columns:
    - { schema: tenant_b, table: t, column: word, tag: secret, method: redact }
    - { schema: ${LONGEST}, table: t, column: word, tag: secret, method: redact }
`,
    )
  if (name === 'chains.yaml') return text.replace('[dev-reviewers]', '[prod-reviewers]')
  if (name === 'dev.cedar')
    return `${text}
      @id("not-in-b")
      forbid (principal, action == Countersign::Action::"write", resource)
      when { resource has schema && (resource.schema == "tenant_b" || resource.schema == "${LONGEST}") };`
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
const NOWHERE = 'error 42C02'
const SYNC = toServer.sync()
const INTO_DEFERRED = 'insert into tenant_a.deferred values (1)'
const WRITE = "insert into t values (2, 'more')"

const run = (sql: string): Buffer => toServer.query(sql)
const prepare = (sql: string): Buffer => toServer.parse('s', sql)
const unnamed = toServer.bind({ portal: 'p' })
const bound = toServer.bind({ portal: 'p', statement: 's' })
const executed = Buffer.concat([toServer.bind({ statement: 's' }), toServer.execute()])
const into = (table: string, ...ids: readonly number[]): Buffer =>
  Buffer.concat(ids.map((id) => group(`insert into tenant_a.${table} values ($1)`, String(id))))
/** Executions of one INSERT, the last of which changes the path, and then a read and a write. */
const SOMETIMES = Buffer.concat([into('sometimes', 1, 1, 1, 2), group(READ), group(WRITE), SYNC])

/** The messages that an agent sends, waiting after each, and the rows and errors that it receives. */
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
    'PostgreSQL cuts long names off, so none is longer': [
      [
        ...[run(A), run(`set search_path = '${LONGEST}x'`)],
        run(`select set_config('search_path', '${LONGEST}x', false)`),
        run("select set_config('search_path', E'\\vtenant_b', false)"),
        ...[run(READ), run(`set search_path = ${LONGEST}x`), run(READ), run(WRITE)],
      ],
      ['error', 'error', 'error', IN_A, IN_B, 'error 42C01'],
    ],
    'schemas that there are not, or behind all that is looked through, are passed over': [
      [
        ...[run('set search_path = tenant_none, tenant_b'), run(READ)],
        ...[run('set search_path = tenant_a, tenant_c'), run(READ)],
      ],
      [IN_B, IN_A],
    ],
    'a trigger that waits for the end of its transaction moves the path': [
      [
        ...[run(A), run(READ), run(WRITE), run('begin'), run(INTO_DEFERRED), run('commit')],
        ...[run(READ), run(WRITE), run(A), run(READ)],
        Buffer.concat([group(INTO_DEFERRED), SYNC]),
        ...[run(READ), run(WRITE), run(A), run('begin'), run(INTO_DEFERRED)],
        Buffer.concat([group('commit'), group(READ), group(WRITE), SYNC]),
      ],
      [IN_A, IN_B, 'error 42C01', IN_A, IN_B, 'error 42C01', IN_B, 'error 42C01'],
    ],
    ...Object.fromEntries(
      [
        ['a trigger', 'insert into tenant_a.triggered values (1)'],
        ['a default', 'insert into tenant_a.filled (id) values (1)'],
        ['a view', 'select one from tenant_a.seen where one = 2'],
      ].flatMap(([what, sql = '']) => [
        [
          `${what} moves the path, also of what is covered`,
          [
            [run(A), run(READ), run(WRITE), run(sql), run(READ), run(WRITE), run(A), run(READ)],
            [IN_A, IN_B, 'error 42C01', IN_A],
          ],
        ],
        [
          `${what} moves the path amidst a pipeline and a transaction`,
          [
            [
              ...[run(A), run(READ), run(WRITE)],
              Buffer.concat([group(sql), group(READ), group(WRITE), SYNC]),
              ...[run(A), run('begin'), run(READ), run(sql), run(READ), run(WRITE)],
              Buffer.concat([group('rollback'), SYNC]),
              run(READ),
            ],
            [IN_A, IN_B, 'error 42C01', IN_A, IN_B, 'error 42C01', IN_A],
          ],
        ],
        [`nothing follows ${what} in one text`, [[run(A), run(`${sql}; ${READ}`)], ['error']]],
      ]),
    ),
    'a rollback amidst a pipeline, and what moves the path behind it': [
      [
        ...[run(A), run('begin'), run('select 1/0')],
        Buffer.concat([
          ...[group('rollback'), group('insert into tenant_a.triggered values (1)')],
          ...[group(READ), group(WRITE), SYNC],
        ]),
        ...[run(A), run('begin'), run('savepoint s'), run('select 1/0')],
        Buffer.concat([
          ...[group('rollback to s'), group('insert into tenant_a.triggered values (1)')],
          ...[group(READ), group(WRITE), SYNC],
        ]),
        run('rollback'),
      ],
      ['error 22012', IN_B, 'error 42C01', 'error 22012', IN_B, 'error 42C01'],
    ],
    'a trigger that moves the path only sometimes fails one pipeline, and the next is decided anew':
      [
        [
          ...[run(A), SOMETIMES, run(READ), SOMETIMES],
          ...[run(A), run('begin'), SOMETIMES, run('rollback'), run(READ)],
        ],
        ['error 40C01', IN_A, IN_B, 'error 42C01', IN_B, 'error 42C01', IN_A],
      ],
    'a trigger that moves the path only sometimes fails one transaction': [
      [
        ...[run(A), run('begin'), SOMETIMES, run('rollback')],
        ...[run('begin'), SOMETIMES, run('rollback'), run(READ)],
      ],
      ['error 40C01', IN_B, 'error 42C01', IN_A],
    ],
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

test('a session ends where PostgreSQL passes over a schema that is decided along', async () => {
  for (const begun of [
    { commands: ['set search_path = tenant_c, tenant_b', READ] },
    { commands: [READ], env: { PGOPTIONS: '-c search_path=tenant_c,tenant_b' } },
  ]) {
    const ran = await psql(system, { profile: 'shop-dev', ...begun })
    assert.match(ran.stderr, /grant USAGE on each schema of "tenant_c", "tenant_b"/)
    assert.doesNotMatch(ran.stdout, /TENANT|masked/)
  }
})

test('code that comes to move the path while a session is open fails its pipeline', async () => {
  const wire = await openWire(system, 'shop-dev')
  const heard = async (...bytes: readonly Buffer[]): Promise<string[]> => {
    wire.send(...bytes)
    return told(await wire.ready()).filter((line) => /^(row|error|done INSERT)/.test(line))
  }
  const inserted = 'done INSERT 0 1'
  assert.deepEqual(await heard(run(A)), [])
  assert.deepEqual(await heard(into('later', 1, 1), SYNC), [inserted, inserted])
  await askTarget(
    system,
    `create trigger moved before insert on tenant_a.later for each row execute function tenant_a.moved()`,
    'shop_dev',
  )
  assert.deepEqual(await heard(into('later', 1, 1), group(READ), SYNC), [inserted, 'error 40C01'])
  assert.deepEqual(await heard(run(READ)), [IN_A])
  assert.deepEqual(await heard(into('later', 1), group(READ), SYNC), [inserted, IN_B])
  wire.end()

  const open = await openWire(system, 'shop-dev')
  open.send(run(A))
  await open.ready()
  open.send(into('replaced', 1, 1), toServer.flush())
  await open.until('C')
  await open.until('C')
  await askTarget(
    system,
    `create or replace function tenant_a.harmless() returns trigger language plpgsql as
      $$ begin perform tenant_a.moves(); return new; end $$`,
    'shop_dev',
  )
  open.send(into('replaced', 1), group(READ), SYNC)
  const behind = told(await open.ready()).filter((line) => /^(row|error|done)/.test(line))
  assert.deepEqual(behind, [inserted, 'error 40C01'])
  open.end()
})

// Meant to fail when `meansOthers` in services/proxy/src/core/statement-names.ts does nothing, and when `portalAnswer` in
// core/answer-taint.ts gives what policy says now alone.
test('where a name comes to stand for another table, what was prepared before does not show the one of then', async () => {
  const both = 'select upper(word) from t where id = 3'
  const ofB = 'row IN TENANT_B'
  const ofFirst = 'row IN TENANT_FIRST'
  await askTarget(
    system,
    `create schema tenant_first; grant usage on schema tenant_first to shop_dev_reader, shop_dev_writer;
      insert into tenant_b.t values (3, 'in tenant_b'), (3, 'in tenant_b')`,
    'shop_dev',
  )
  await using log = await observe(system)
  const wire = await openWire(system, 'shop-dev')
  const heard = async (...bytes: readonly Buffer[]): Promise<string[]> => {
    wire.send(...bytes)
    return told(await wire.ready()).filter((line) => /^(row|error)/.test(line))
  }
  const sessionId = await newestSession(log)
  /** The number of descriptions of the target under which the session released something. */
  const descriptions = async (): Promise<number> => {
    const released = await eventsOf(log, 'sessions', 'RequestReleased')
    const own = released.filter((one) => one.sessionId === sessionId)
    return new Set(own.map(({ targetVersion }) => targetVersion)).size
  }
  await heard(run('set search_path = tenant_first, tenant_b'))
  await heard(run(`prepare a as ${both}`))
  assert.deepEqual(await heard(run('execute a')), [IN_B, IN_B])
  await heard(prepare(both), SYNC)
  await heard(run('begin'))
  assert.deepEqual(await heard(bound, toServer.execute('p', 1), SYNC), [IN_B])
  await askTarget(
    system,
    `create table tenant_first.t (id int, word text); insert into tenant_first.t values (3, 'in tenant_first');
      grant select on tenant_first.t to shop_dev_reader, shop_dev_writer`,
    'shop_dev',
  )
  await eventually('another description', async () => {
    const [row] = await heard(run(both))
    return row === ofFirst && (await descriptions()) > 1
  })
  assert.deepEqual(await heard(toServer.execute('p', 1), SYNC), [IN_B])
  assert.deepEqual(await heard(executed, SYNC), [ofFirst])
  await heard(run('commit'))
  const named = await heard(run('execute a'))
  assert.ok(named.length > 0 && !named.includes(ofB), named.join())
  await heard(run('deallocate a'))
  await heard(run(`prepare a as ${both}`))
  assert.deepEqual(await heard(run('execute a')), [ofFirst])
  wire.end()
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
