import assert from 'node:assert/strict'
import fc from 'fast-check'
import { toServer } from '@countersign/postgres-wire'
import type { System } from '@countersign/local'
import { heardIn, READY, type Turn, unmasked } from './conversation.ts'
import { openDirectWire } from './direct-wire.ts'
import { applyCatalog } from './reviewer.ts'
import { askTarget } from './target.ts'
import { openWire } from './wire.ts'

/** The bytes that a client sends before it waits for ReadyForQuery, and the words for them in a report. */
export type Said = { readonly words: string; readonly bytes: Buffer }

/** Creates the objects that the conversations use, and permits their statements. */
export async function prepareConversations(system: System): Promise<void> {
  await askTarget(
    system,
    `create table shop.spoken (id int primary key, note text);
     grant all on shop.spoken to shop_dev_reader, shop_dev_writer;
     create function shop.thrice(int) returns int language plpgsql as $$ begin return 3 * $1; end $$`,
    'shop_dev',
  )
  await applyCatalog(system, (name, text) => (name === 'dev.cedar' ? `${text}\n${OPAQUE}` : text))
}

/**
 * Holds random conversations of legal messages with PostgreSQL itself and through Countersign; the frames must be the same.
 * Left out are the cases in which Countersign answers differently by intent: names that SQL gives and the protocol uses, and
 * the reverse; and in a failed transaction PostgreSQL counts the values of a Bind (08P01) before it says that it runs
 * nothing (25P02).
 */
export async function conversationsAgree(
  system: System,
  options: { readonly numRuns: number; readonly seed?: number },
): Promise<void> {
  const seed = options.seed === undefined ? {} : { seed: options.seed }
  await fc.assert(
    fc.asyncProperty(CONVERSATION, async (said) => {
      const turns = said.flatMap(({ bytes }): Turn[] => [bytes, READY])
      const expected = await heardBy(system, () => openDirectWire(system, 'shop_dev'), turns)
      const heard = await heardBy(system, () => openWire(system, 'shop-dev'), turns)
      assert.deepEqual(uncounted(unmasked(heard, expected), expected), expected)
    }),
    { numRuns: options.numRuns, ...seed, reporter, endOnFailure: true },
  )
}

/** Reports a failed conversation in words, with its seed and the difference between the answers. */
function reporter(details: fc.RunDetails<[Said[]]>): void {
  if (!details.failed) return
  const said = (details.counterexample?.[0] ?? []).map(({ words }) => words)
  const cause = details.errorInstance
  const difference = cause instanceof Error ? cause.message : String(cause)
  throw new Error(`seed ${details.seed}: ${said.join(' ⏎ ')}\n${difference}`, { cause })
}

const uncounted = (heard: readonly string[], expected: readonly string[]): string[] =>
  heard.map((line, at) =>
    line === 'error 25P02' && expected[at] === 'error 08P01' ? expected[at] : line,
  )

type Talking = Parameters<typeof heardIn>[0] & { end(): void; readonly closed: Promise<void> }

async function heardBy(
  system: System,
  open: () => Promise<Talking>,
  turns: readonly Turn[],
): Promise<string[]> {
  await askTarget(system, 'truncate shop.spoken', 'shop_dev')
  const wire = await open()
  try {
    return await heardIn(wire, turns)
  } finally {
    wire.end()
    await wire.closed
  }
}

const said = (words: string, ...bytes: readonly Buffer[]): Said => ({
  words,
  bytes: Buffer.concat(bytes),
})

const SELECTS = [
  ...['select 1', 'select generate_series(1, 4)', 'select $1::int', 'select 1/0', ''],
  ...['select no_such_column', 'select shop.thrice($1::int)', 'select shop.thrice(1/0)'],
]
const OTHERS = [
  ...['begin', 'commit', 'rollback', 'savepoint a', 'rollback to a', 'release a'],
  ...["insert into shop.spoken values (1, 'one')", 'delete from shop.spoken where id = 1'],
  ...['select count(*) from shop.spoken', 'deallocate s', 'deallocate z', 'deallocate all'],
  ...['prepare z as select 1', 'declare c cursor for select generate_series(1, 4)', 'close c'],
  ...['fetch 2 from c', 'close all', '-- deallocate all\nselect 1', "set application_name = 'a'"],
]
const SQL = fc.oneof(fc.constantFrom(...SELECTS), fc.constantFrom(...OTHERS))
/** Without FETCH, which Countersign answers differently by intent: under a name it is refused, and it is executed only once. */
const PREPARED_SQL = SQL.filter((sql) => !sql.startsWith('fetch'))
const STATEMENT = fc.constantFrom('', 's', 't')
const PORTAL = fc.constantFrom('', 'p', 'q')
/**
 * The unnamed portal is executed only if a Bind of the same pipeline made it. In a transaction, after a simple Query that
 * failed at its execution, PostgreSQL 18.4 reads freed memory when that portal is executed, and sometimes crashes
 * (`../promises/the-wire-answers-as-postgresql-does.test.ts`).
 */
const NAMED_PORTAL = fc.constantFrom('p', 'q')
const KIND = fc.constantFrom('statement' as const, 'portal' as const)
const VALUES = fc.constantFrom<string[][]>([], ['7'], ['no number'])

const bytesOf = (values: readonly string[]): Buffer[] => values.map((value) => Buffer.from(value))
const COPY = 'copy shop.spoken from stdin'
/** The data of a COPY and its end, sent whether or not the target asks for it, as by clients that know they began a COPY. */
const DATA = fc.constantFrom<Said[]>(
  said('2 rows', toServer.copyData(Buffer.from('1\ta\n2\tb\n')), toServer.copyDone()),
  said('no row', toServer.copyDone()),
  said('a wrong row', toServer.copyData(Buffer.from('x\ty\n')), toServer.copyDone()),
  said('a row twice', toServer.copyData(Buffer.from('1\ta\n1\ta\n')), toServer.copyDone()),
  said('failed', toServer.copyData(Buffer.from('1\ta\n')), toServer.copyFail('no more')),
)

const MESSAGE: fc.Arbitrary<Said> = fc.oneof(
  fc
    .tuple(STATEMENT, PREPARED_SQL)
    .map(([name, sql]) => said(`Parse ${name} ${sql}`, toServer.parse(name, sql))),
  fc
    .tuple(PORTAL, STATEMENT, VALUES)
    .map(([portal, statement, values]) =>
      said(
        `Bind ${portal}=${statement}(${values.join()})`,
        toServer.bind({ portal, statement, values: bytesOf(values) }),
      ),
    ),
  fc
    .tuple(KIND, fc.oneof(STATEMENT, PORTAL))
    .map(([kind, name]) => said(`Describe ${kind} ${name}`, toServer.describe(kind, name))),
  fc
    .tuple(KIND, fc.oneof(STATEMENT, PORTAL))
    .map(([kind, name]) => said(`Close ${kind} ${name}`, toServer.close(kind, name))),
  fc
    .tuple(NAMED_PORTAL, fc.constantFrom(0, 1, 2))
    .map(([portal, rows]) => said(`Execute ${portal} ${rows}`, toServer.execute(portal, rows))),
  fc.constant(said('Flush', toServer.flush())),
  // The messages that drivers send together: most of them would fail alone.
  fc
    .tuple(PORTAL, STATEMENT, PREPARED_SQL, VALUES, fc.constantFrom(0, 1))
    .map(([portal, statement, sql, values, rows]) =>
      said(
        `ran ${portal}=${statement} ${sql} (${values.join()}) ${rows}`,
        ...[toServer.close('statement', statement), toServer.parse(statement, sql)],
        ...[toServer.close('portal', portal)],
        ...[toServer.bind({ portal, statement, values: bytesOf(values) })],
        toServer.execute(portal, rows),
      ),
    ),
  fc
    .tuple(STATEMENT, VALUES, fc.constantFrom([0], [2, 0], [0, 0]))
    .map(([statement, values, rows]) =>
      said(
        `executed ${statement}(${values.join()}) ${rows.join()}`,
        toServer.bind({ statement, values: bytesOf(values) }),
        ...rows.map((max) => toServer.execute('', max)),
      ),
    ),
  DATA.map(({ words, bytes }) =>
    said(
      `copied ${words}`,
      // The statement has a name that no other message executes, because its execution must be followed by data.
      ...[toServer.close('statement', 'k'), toServer.parse('k', COPY)],
      ...[toServer.close('portal', 'k'), toServer.bind({ portal: 'k', statement: 'k' })],
      ...[toServer.execute('k'), bytes],
    ),
  ),
)

const QUERY: fc.Arbitrary<Said> = fc
  .oneof(
    { weight: 4, arbitrary: SQL.filter((sql) => !sql.includes('$')) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(SQL, SQL)
        .map((both) => both.join('; '))
        .filter((sql) => !sql.includes('$')),
    },
  )
  .map((sql) => said(`Query ${sql}`, toServer.query(sql)))

const QUERIED_COPY = DATA.map(({ words, bytes }) =>
  said(`Query ${COPY}: ${words}`, toServer.query(COPY), bytes),
)

const PIPELINE = fc.oneof(
  { weight: 3, arbitrary: QUERY },
  { weight: 1, arbitrary: QUERIED_COPY },
  {
    weight: 6,
    arbitrary: fc
      .array(MESSAGE, { minLength: 1, maxLength: 4 })
      .map((all) =>
        said(
          all.map(({ words }) => words).join(', '),
          ...all.map(({ bytes }) => bytes),
          toServer.sync(),
        ),
      ),
  },
)

const CONVERSATION = fc.array(PIPELINE, { minLength: 2, maxLength: 10 })
const OPAQUE = 'permit (principal, action == Countersign::Action::"opaque", resource);'
