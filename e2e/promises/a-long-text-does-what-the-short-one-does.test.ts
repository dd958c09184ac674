// Seen to fail when `longTextOf` in services/policy/src/core/understood.ts tells nothing: 42C08 where the short text is held and
// runs; when `copyOut` and `prepareOf` of libs/statements parse no long text.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ServerFrame, toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { heldIn } from '../support/held.ts'
import { eventually } from '../support/ledger.ts'
import { countersign } from '../support/reviewer.ts'
import { askTarget, sessionRolesIn } from '../support/target.ts'
import { fieldOf, group, openWire, told, type Wire } from '../support/wire.ts'

const system = await arena('long-text')
await askTarget(
  system,
  `create table shop.goods (id int primary key, ean bigint, name text);
   insert into shop.goods values (1, 4006381333931, 'pen'), (2, 4111111111111111, 'ink');
   grant select on shop.goods to shop_dev_reader`,
  'shop_dev',
)

/** More than the proxy parses itself; without digits, in which numbers might be found. */
const LONG = 'long '.repeat(4_000)
const UPDATE = "update shop.orders set note = '~' where id = 4"

/** Texts of one session each, in which `~` stands where one is made long; `$` before a text sends it by the extended protocol. */
type Conversation = {
  readonly profile: 'shop-prod' | 'shop-dev'
  readonly texts: readonly string[]
  /** A part of what the agent is told of the short texts. */
  readonly told: string
}

const CONVERSATIONS: Readonly<Record<string, Conversation>> = {
  'a transaction in one text': {
    profile: 'shop-prod',
    texts: [`/*~*/ begin; ${UPDATE}; commit --~`, 'select 1'],
    told: 'held done BEGIN done UPDATE 1 done COMMIT ready I',
  },
  'a transaction with a savepoint in one text, rolled back': {
    profile: 'shop-prod',
    texts: [`begin /*~*/; savepoint s; ${UPDATE}; rollback to s; release s; rollback /*~*/`],
    told: 'held done BEGIN done SAVEPOINT done UPDATE 1 done ROLLBACK done RELEASE done ROLLBACK ready I',
  },
  'a transaction that goes on behind the text': {
    profile: 'shop-prod',
    texts: [`/*~*/ begin; ${UPDATE}`, `savepoint /*~*/ s; select '~'`, 'commit --~'],
    told: 'held done BEGIN done UPDATE 1 ready T done SAVEPOINT',
  },
  'an end with something behind it, while a privilege is raised': {
    profile: 'shop-prod',
    texts: ['begin', UPDATE, "commit; select '~'", 'rollback'],
    told: 'done UPDATE 1 ready T error 42C08 ready E',
  },
  'a chain while a privilege is raised': {
    profile: 'shop-prod',
    texts: ['begin', UPDATE, 'commit /*~*/ and chain', 'rollback'],
    told: 'done UPDATE 1 ready T error 42C08 ready E',
  },
  'a chain behind a change in one text': {
    profile: 'shop-prod',
    texts: [`begin; ${UPDATE}; commit and chain --~`],
    told: 'error 42C08 ready I',
  },
  'a failed transaction, which only its end ends': {
    profile: 'shop-prod',
    texts: [
      'begin',
      'select 1/0',
      `/*~*/ ${UPDATE}`,
      "prepare p as select '~'",
      '/*~*/ rollback --~',
    ],
    told: 'error 22012 ready E error 25P02 ready E error 25P02 ready E done ROLLBACK ready I',
  },
  'the mode of a transaction, which nothing may be asked before': {
    profile: 'shop-dev',
    texts: [
      'begin',
      "set datestyle = 'SQL, DMY'",
      '/*~*/ set transaction /*~*/ isolation level serializable --~',
      'show transaction_isolation',
      'commit',
    ],
    told: 'done SET ready T done SET ready T T row serializable',
  },
  'what PREPARE named': {
    profile: 'shop-dev',
    texts: [
      "/*~*/ prepare p (int) as select id, upper(name) from shop.products where id = $1 and name <> '~'",
      'execute p(1)',
      '/*~*/ execute /*~*/ p(1) --~',
      'deallocate /*~*/ p',
      'execute p(1)',
    ],
    told: 'done PREPARE ready I T row 1,',
  },
  'what PREPARE named, by the extended protocol': {
    profile: 'shop-dev',
    texts: [
      "$/*~*/ prepare p as select id, upper(name) from shop.products where id = 1 and name <> '~'",
      '$/*~*/ execute p --~',
    ],
    told: 'done PREPARE ready I 1 2 T row 1,',
  },
  'a change that PREPARE named': {
    profile: 'shop-prod',
    texts: [`prepare p as ${UPDATE} /*~*/`, 'execute p --~', '/*~*/ execute p'],
    told: 'held done UPDATE 1 ready I held done UPDATE 1',
  },
  'rows that are copied': {
    profile: 'shop-dev',
    texts: [
      "copy /*~*/ (select id, ean from shop.goods where name <> '~' order by id) to stdout --~",
      '/*~*/ copy shop.goods (ean, id) to stdout (format csv, header)',
    ],
    told: '4006381333931',
  },
}

for (const [name, { profile, texts, told: expected }] of Object.entries(CONVERSATIONS))
  test(`${name}: a long text does what the short one does`, async () => {
    const short = await heard(profile, texts)
    assert.ok(short.includes(expected), short)
    for (const [index, text] of texts.entries())
      for (let place = 1; place < text.split('~').length; place++) {
        const padded = texts.map((one, at) => (at === index ? paddedAt(one, place) : one))
        assert.equal(await heard(profile, padded), short, `place ${place} of ${text}`)
      }
  })

/** The text, long in one of its places. */
const paddedAt = (text: string, place: number): string =>
  text
    .split('~')
    .map((part, at) => (at === place ? LONG : '') + part)
    .join('')

/** The words of a session; all that is held is countersigned. */
async function heard(profile: string, texts: readonly string[]): Promise<string> {
  const wire = await openWire(system, profile)
  try {
    const words: string[] = []
    for (const text of texts) {
      const sql = text.replaceAll('~', '')
      wire.send(sql.startsWith('$') ? group(sql.slice(1)) : toServer.query(sql))
      if (sql.startsWith('$')) wire.send(toServer.sync())
      words.push(...(await answered(wire)))
    }
    return words.join(' ').replaceAll(LONG, '')
  } finally {
    wire.end()
    // The next session may be lent nothing while this one is.
    await eventually('the privilege is taken back', async () => {
      return (await sessionRolesIn(system, 'shop_prod_writer')).length === 0
    })
  }
}

async function answered(wire: Wire): Promise<readonly string[]> {
  const words: string[] = []
  for (;;) {
    const frames = await wire.until('N', 'Z')
    words.push(...told(frames), ...frames.filter(({ tag }) => tag === 'd').map(dataOf))
    const last = frames.at(-1)
    if (last?.tag === 'Z') return words
    const requestId = last === undefined ? undefined : heldIn(fieldOf(last, 'M'))
    if (requestId === undefined) continue
    words.push('held')
    assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  }
}

const dataOf = ({ raw }: ServerFrame): string => raw.subarray(5).toString().trim()
