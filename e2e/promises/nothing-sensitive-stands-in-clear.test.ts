// Seen to fail when `takeFrames` in services/proxy/src/shell/answers.ts passes rows on without `session.filter`.
import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe, recordsOf } from '../support/ledger.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('canaries')

const EMAIL = 'canary.zebra@aviary.example'
const CARD = '4539578763621486'
const SECRET = 'sk_live_canaryZEBRA0123456789abcd'
const LITERAL = 'quokka-in-a-literal'
const CANARIES = [EMAIL, CARD, SECRET, LITERAL]
const TOPICS = [
  'sessions',
  'keys',
  'transcript',
  'leases',
  'decisions',
  'approvals',
  'credentials',
  'masking',
  'reviews',
  'catalog',
]

test('no planted value is in what the agent sees, in any topic, archive or service log, in any encoding', async () => {
  await plant()
  const run = await psql(system, {
    profile: 'shop-prod',
    commands: [
      'select * from shop.customers where id = 90001',
      'select email from shop.customer_emails',
      "select upper(email), email || '', card_number::varchar, coalesce(email, '') from shop.customers where id = 90001",
      'select row_to_json(c) from shop.customers c where id = 90001',
      "select convert_to(email, 'UTF8'), encode(convert_to(email, 'UTF8'), 'base64'), encode(convert_to(email, 'UTF8'), 'hex') from shop.customers where id = 90001",
      'select api_key from shop.api_keys where customer_id = 90001',
      'copy shop.customers to stdout',
      'copy (select email, card_number from shop.customers) to stdout (format csv)',
      'select email::int from shop.customers where id = 90001',
      `select '${LITERAL}'`,
    ],
    args: ['-v', 'ON_ERROR_STOP=0'],
  })
  const seen = run.stdout + run.stderr
  for (const canary of [EMAIL, CARD, SECRET]) {
    for (const [encoding, text] of encodings(canary)) {
      assert.ok(
        !seen.toLowerCase().includes(text.toString('latin1').toLowerCase()),
        `the agent saw ${canary} as ${encoding}\n${seen}`,
      )
    }
  }
  assert.match(seen, /quokka-in-a-literal/, 'the agent sees what it wrote itself')
  await using log = await observe(system)
  await eventually(
    'the end of the session',
    async () => (await eventsOf(log, 'sessions', 'SessionEnded')).length > 0,
  )
  await eventually(
    'an archive',
    async () =>
      (await filesBelow(join(system.instance.dir))).some((file) => file.endsWith('.avro')),
    30_000,
  )

  const places = new Map<string, Buffer>()
  for (const topic of TOPICS) {
    const values = (await recordsOf(log, topic)).flatMap((record) =>
      'value' in record ? [record.value] : [],
    )
    places.set(`topic ${topic}`, Buffer.concat(values))
  }
  for (const file of await filesBelow(system.instance.dir)) {
    if (file.endsWith('.avro') || /\/logs\//.test(file)) places.set(file, await readFile(file))
  }
  assert.ok(places.size > TOPICS.length + 3, 'logs and archives were searched too')
  for (const [place, bytes] of places) {
    for (const canary of CANARIES) {
      for (const [encoding, text] of encodings(canary)) {
        assert.ok(!bytes.includes(text), `${place} contains ${canary} as ${encoding}`)
      }
    }
  }
})

test('a table and a column that came after the masking plan are masked whole, until a session has a plan of them', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  running.type("select 'open' as state;")
  await running.says(/open/)
  await askTarget(
    system,
    `create table shop.later as select 'gerbil' as pet;
     grant select on shop.later to shop_prod_reader;
     alter table shop.products add column pet text default 'hamster'`,
    'shop_prod',
  )
  running.type('select * from shop.later; select pet from shop.products limit 1;')
  running.type('\\d shop.products')
  await running.says(/hamster/)
  const { stdout, stderr } = await running.finish()
  assert.doesNotMatch(stdout, /gerbil/)
  assert.match(stdout, /\[masked\][^]*\[masked\]/)
  assert.match(stdout, /price_cents \| integer/, 'the catalogs of PostgreSQL can be read')
  assert.match(stderr, /masked whole, because the masking plan of this session does not know/)
  const next = await psql(system, {
    profile: 'shop-prod',
    commands: ['select * from shop.later', 'select pet from shop.products limit 1'],
  })
  assert.match(next.stdout, /gerbil[^]*hamster/)
})

test("a session's credential stands nowhere but in the proxy", async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  running.type("select 'in';")
  await running.says(/in/)
  const log = await readFile(system.targetLogFile, 'utf8')
  assert.ok(!/PASSWORD '(?!SCRAM-SHA-256\$)/i.test(log), 'the log of the target has verifiers only')
  const token = await system.tokenFor('ci-deploy')
  await using observer = await observe(system)
  for (const topic of TOPICS) {
    for (const record of await recordsOf(observer, topic)) {
      if (!('value' in record)) continue
      assert.ok(!record.value.includes(token.split('.')[1] ?? token), `a token stands in ${topic}`)
    }
  }
  await running.finish()
})

async function plant(): Promise<void> {
  await askTarget(
    system,
    `insert into shop.customers (id, name, email, phone, ssn, card_number, iban, created_at)
     values (90001, 'Zebra', '${EMAIL}', '+1 202 555 0143', '219-09-9999', '${CARD}', 'DE89370400440532013000', now());
     insert into shop.api_keys (id, customer_id, api_key, password_hash) values (90001, 90001, '${SECRET}', 'x')`,
    'shop_prod',
  )
}

function encodings(text: string): [string, Buffer][] {
  const bytes = Buffer.from(text)
  return [
    ['UTF-8', bytes],
    ['UTF-16LE', Buffer.from(text, 'utf16le')],
    ['UTF-16BE', Buffer.from(text, 'utf16le').swap16()],
    ['base64', Buffer.from(bytes.toString('base64').replace(/=+$/, '').slice(0, -1))],
    ['hex', Buffer.from(bytes.toString('hex'))],
  ]
}

async function filesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  const files: string[] = []
  for (const name of names) {
    if (/^(postgres|kafka|secrets|tls)\//.test(name)) continue
    const file = join(folder, name)
    const found = await stat(file).catch(() => null)
    if (found?.isFile() === true) files.push(file)
  }
  return files
}
