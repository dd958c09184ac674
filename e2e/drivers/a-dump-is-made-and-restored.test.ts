// pg_dump reads the catalogs and the rows through Countersign, pg_restore and psql make all of it anew: in a profile that lets
// base roles create, nobody is asked. Seen to fail when `settingOf` in libs/statements/src/query.ts knows no setting, when
// `namesRelations` in result-columns.ts says no (types of columns come masked then), and when policy forbids xmloption.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { agentEnvironment, psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { program } from '../support/driver.ts'
import { clientPrograms } from '../support/parts.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('may-create')
await askTarget(
  system,
  'grant create on schema shop to shop_dev_writer; grant temp on database shop_dev to shop_dev_writer',
  'shop_dev',
)
const folder = await mkdtemp(join(tmpdir(), 'dump-'))
after(() => rm(folder, { recursive: true }))

const MADE = [
  'create table shop.parts (id serial primary key, title text not null, at timestamptz default now(), price numeric(8,2))',
  'create table shop.of_parts (id int primary key, part_id int references shop.parts, tags text[])',
  'create index parts_title on shop.parts (title)',
  "insert into shop.parts (title, price) values ('first', 1.25), ('second', 2)",
  "insert into shop.of_parts values (7, 1, '{a,b}')",
  'create view shop.titles as select title from shop.parts',
]
const DROPPED = ['drop view shop.titles', 'drop table shop.of_parts', 'drop table shop.parts']
const TABLES = ['parts', 'of_parts', 'titles', 'parts_id_seq'].flatMap((name) => [
  '-t',
  `shop.${name}`,
])

test('pg_dump dumps what an agent made, and pg_restore and psql restore it', async (t) => {
  const found = await clientPrograms()
  if ('missing' in found) return t.skip(found.missing)
  const applied = await applyCatalog(system, (name, text) => {
    if (name === 'profiles.yaml')
      return text.replace('  record: full\n', '  record: full\n  mayCreate: true\n')
    if (name === 'dev.cedar') return text.replace('@review("dev-change")', '')
    return text
  })
  assert.equal(applied.status, 200, JSON.stringify(applied.body))
  const env = await agentEnvironment(system, { profile: 'shop-dev' })
  const run = async (name: string, args: readonly string[]): Promise<string> => {
    const ran = await program(join(found.bin, name), args, { env })
    assert.ok(ran.ok, `${name}: ${ran.stderr}`)
    return ran.stdout
  }
  const asAgent = async (commands: readonly string[]): Promise<string> => {
    const ran = await psql(system, {
      profile: 'shop-dev',
      args: ['-At', '-v', 'ON_ERROR_STOP=1'],
      commands,
    })
    assert.equal(ran.status, 0, ran.stderr)
    return ran.stdout
  }
  const isAllThere = async (): Promise<void> => {
    const rows = await asAgent(['select title, price from shop.parts order by id'])
    assert.equal(rows, 'first|1.25\nsecond|2.00\n')
    assert.equal(
      await asAgent(['select * from shop.of_parts', 'select count(*) from shop.titles']),
      '7|1|{a,b}\n2\n',
    )
    // The sequence goes on after the restored rows.
    await asAgent(["insert into shop.parts (title) values ('third')"])
  }
  await asAgent(MADE)
  const custom = join(folder, 'custom')
  await run('pg_dump', ['-Fc', '-f', custom, '--no-owner', '--no-privileges', ...TABLES])
  const plain = join(folder, 'plain.sql')
  const text = await run('pg_dump', ['--no-owner', '--no-privileges', ...TABLES])
  assert.match(text, /price numeric\(8,2\)/)
  await writeFile(plain, text)

  await asAgent(DROPPED)
  await run('pg_restore', ['--exit-on-error', '--no-owner', '-d', 'shop-dev', custom])
  await isAllThere()
  await asAgent(DROPPED)
  await run('psql', ['-X', '-v', 'ON_ERROR_STOP=1', '-f', plain])
  await isAllThere()
})
