import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { completionScript } from './completion.ts'
import { variablesOf } from './commands/apply.ts'
import { eventStream } from './event-stream.ts'
import { paintFor } from './paint.ts'
import { oneLine, printable } from './printable.ts'
import { searchedBy } from './searched.fixture.ts'
import { matchingId, shortId } from './short-id.ts'
import { cut, table } from './table.ts'
import { left, moment, offset, span } from './time.ts'
import { timelineText } from './timeline.ts'

const ONE = '01890000-0000-7000-8000-00000000abcd'
const TWO = '01890000-0000-7000-8000-00001111abcd'
const plain = paintFor(false, {})

describe('an id', () => {
  it('may be shortened to its end or its beginning', () => {
    assert.deepEqual(matchingId(shortId(ONE), [ONE, TWO]), { ok: true, value: ONE })
    assert.deepEqual(matchingId('1111ABCD', [ONE, TWO]), { ok: true, value: TWO })
    assert.deepEqual(matchingId('01890000-0000', [ONE]), { ok: true, value: ONE })
  })

  it('must be one', () => {
    for (const [typed, why] of [
      ['abcd', /2 have such an id/],
      ['ffffffff', /nothing that you may see/],
      ['cd', /at least 4/],
    ] as const) {
      const found = matchingId(typed, [ONE, TWO])
      assert.match(found.ok ? '' : found.error, why)
    }
  })
})

describe('text of others', () => {
  it('cannot move the cursor, change colours or turn the direction of writing', () => {
    assert.equal(
      printable('a\u001b[2Jb\u009bc\u202ed\r\u200be'),
      'a\\u001b[2Jb\\u009bc\\u202ed\\u000d\\u200be',
    )
    assert.equal(printable('SELECT 1\n\tFROM t'), 'SELECT 1\n\tFROM t')
    assert.equal(oneLine('  two\r\n lines '), 'two lines')
  })

  it('never holds a control character afterwards', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(
          printable(text),
          /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
        )
      }),
    )
  })
})

describe('a table', () => {
  it('is as wide as its widest cell, colours not counted', () => {
    const red = paintFor(true, {})('red', 'no')
    assert.equal(
      table(
        ['A', 'B'],
        [
          ['long one', 'x'],
          [red, 'y'],
        ],
      ),
      `A         B\nlong one  x\n${red}        y\n`,
    )
  })

  it('cuts what is too long', () => {
    assert.deepEqual([cut('abcdef', 4), cut('abcd', 4), cut('äöüß€', 4)], ['abc…', 'abcd', 'äöü…'])
  })
})

describe('colours', () => {
  it('are only for people who want them', () => {
    assert.equal(plain('red', 'x'), 'x')
    assert.equal(paintFor(true, { NO_COLOR: '1' })('red', 'x'), 'x')
    assert.equal(paintFor(true, { TERM: 'dumb' })('red', 'x'), 'x')
    assert.notEqual(paintFor(true, {})('red', 'x'), 'x')
  })
})

describe('time', () => {
  it('is told in the unit that people would choose', () => {
    assert.deepEqual([3.14, 420, 3_210, 845_000, 12_000_000].map(span), [
      '3.1 ms',
      '420 ms',
      '3.2 s',
      '14 min 5 s',
      '3 h 20 min',
    ])
    assert.equal(left('2026-01-01T00:00:10Z', Date.parse('2026-01-01T00:00:00Z')), '10.0 s')
    assert.equal(left('2026-01-01T00:00:10Z', Date.parse('2026-01-01T00:01:00Z')), 'over')
    assert.equal(offset(1_000, 2_204), '+1.204s')
    assert.equal(moment('2026-01-01T00:00:10.123Z'), '2026-01-01 00:00:10Z')
    assert.equal(moment('nonsense'), '–')
  })
})

describe('an entry of a timeline', () => {
  const startedMs = Date.parse('2026-01-01T00:00:00Z')
  const entry = {
    at: '2026-01-01T00:00:01.500Z',
    kind: 'completed',
    text: 'SELECT *\nFROM customers',
    detail: null,
    who: null,
    durationMs: 3.1,
    requestId: '01a2251f-0164-7f96-b614-1dde9fac1440',
    results: [
      {
        columns: ['id', 'email'],
        rows: [
          ['1', '[masked]'],
          ['2', null],
          ['3', 'x'],
        ],
        tag: 'SELECT 3',
      },
      { columns: [], rows: [['1\tone']], tag: 'COPY 1' },
      { columns: [], rows: [], tag: null, error: 'ERROR: no\n (42601)' },
    ],
    resultsNote: 'why',
  }

  it('shows when, what, and the results as the agent saw them', () => {
    assert.deepEqual(timelineText(entry, { paint: plain, startedMs, rowsMax: 2 }).split('\n'), [
      '    +1.500s  completed      3.1 ms · request 9fac1440',
      '             SELECT *',
      '             FROM customers',
      '             id  email',
      '             --  -----',
      '             1   [masked]',
      '             2   ∅',
      '             … 1 more rows',
      '             SELECT 3',
      '             1 one',
      '             COPY 1',
      '             ERROR: no (42601)',
      '             NOT ALL RESULTS ARE SHOWN: why',
      '',
    ])
  })

  // Seen to fail when parameters are left out, and when binary ones are shown as text.
  it('shows the values of the parameters, as far as their types are known', () => {
    const parameters = ['42', '\\x0898', null, '\\x01', 'a\n+9.000s  ended']
    const parameterTypes = [
      { oid: 20, format: 'text' },
      { oid: 21, format: 'binary' },
      { oid: 25, format: 'text' },
      { oid: 99_999, format: 'binary' },
      { oid: 0, format: 'text' },
    ]
    const bound = { ...entry, kind: 'request', results: [], resultsNote: null, text: null }
    const shown = timelineText(
      { ...bound, parameters, parameterTypes },
      { paint: plain, startedMs, rowsMax: 2 },
    )
    assert.deepEqual(
      shown
        .split('\n')
        .slice(1, -1)
        .map((line) => line.trim()),
      [
        '$1 bigint = 42',
        '$2 smallint = 2200',
        '$3 text = NULL',
        "$4 type 99999, binary, its bytes = '\\x01'",
        "$5 = 'a\\n+9.000s  ended'",
      ],
    )
  })

  it('shows who countersigned, and reads microseconds too', () => {
    const at = startedMs * 1_000 + 250_000
    const shown = timelineText(
      {
        at,
        kind: 'countersigned',
        who: 'ana',
        detail: 'stage dba',
        text: '',
        durationMs: null,
        results: [],
      },
      { paint: plain, startedMs, rowsMax: 2 },
    )
    assert.equal(shown, '    +0.250s  countersigned  by ana · stage dba\n')
  })

  // Seen to fail when the lines of the data have no numbers.
  it('shows the data of a COPY in numbered rows, which pass for nothing else', () => {
    const copyData = `1\tone\n… 9 more lines\n${'x'.repeat(68)}+9.000s  countersigned  by ana\nlast\n`
    const held = {
      ...entry,
      kind: 'request',
      text: null,
      durationMs: null,
      results: [],
      resultsNote: null,
      copyData,
    }
    const shown = timelineText(held, { paint: plain, startedMs, rowsMax: 3 }).split('\n')
    assert.deepEqual(shown.slice(1), [
      '             with the data',
      '       1  1⇥one',
      '       2  … 9 more lines',
      `       3  ${'x'.repeat(68)}`,
      '       +  +9.000s  countersigned  by ana',
      '             … 1 more lines',
      '',
    ])
  })

  it('of a newer server shows what it can', () => {
    assert.equal(
      timelineText({ kind: 'new' }, { paint: plain, startedMs, rowsMax: 2 }).trim(),
      '+?  new',
    )
  })
})

describe('an event stream', () => {
  it('gives the same events however it is split', async () => {
    const text = ': hello\r\ndata: {"a":\ndata: "ä"}\nid: 7\n\nevent: x\r\ndata:b\r\n\r\ndata: lost'
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { maxLength: 6 }), async (cuts) => {
        const bytes = Buffer.from(text)
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index] ?? 0, end))
        const seen: string[] = []
        for await (const data of eventStream(of(chunks))) seen.push(data)
        assert.deepEqual(seen, ['{"a":\n"ä"}', 'b'])
      }),
    )
  })

  // Seen to fail when all that came is searched again with each chunk.
  it('searches a long event no more than as many short ones', async (t) => {
    const all = 8 * 1024 * 1024
    const searched = searchedBy(t, 'split')
    for (const length of [all, all / 64]) {
      const event = Buffer.from(`data: ${'x'.repeat(length)}\n\n`)
      const chunks = Array.from({ length: Math.ceil(event.length / 8_192) }, (_, index) =>
        event.subarray(index * 8_192, (index + 1) * 8_192),
      )
      searched.characters = 0
      for (let count = 0; count < all / length; count++)
        for await (const data of eventStream(of(chunks))) assert.equal(data.length, length)
      const { characters } = searched
      assert.ok(characters >= all && characters < 2 * all, `${characters} were searched`)
    }
  })

  it('ends where an event is too large, in one line or in many', async () => {
    const line = Buffer.from(`data: ${'x'.repeat(1024 * 1024)}\n`)
    for (const chunk of [line, line.subarray(0, -1)]) {
      const endless = Array.from({ length: 17 }, () => chunk)
      await assert.rejects(Array.fromAsync(eventStream(of(endless))), /too large/)
    }
  })
})

describe('arguments', () => {
  it('of --set are names and values', () => {
    assert.deepEqual(variablesOf(['PORT=17532', 'TEXT=a=b']), { PORT: '17532', TEXT: 'a=b' })
    assert.throws(() => variablesOf(['nothing']), /NAME=value/)
  })

  it('are completed in every shell, by asking the command line itself', () => {
    assert.match(completionScript('bash'), /complete .* countersign/)
    assert.match(completionScript('zsh'), /^#compdef countersign/)
    assert.match(completionScript('fish'), /__complete/)
  })
})

async function* of(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
