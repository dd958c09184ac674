import { toServer } from '@countersign/postgres-wire'
import type { DirectWire } from './direct-wire.ts'
import { fieldOf, told } from './wire.ts'

/** Messages of no client that keeps to the protocol: a letter and a body, which is not of the form of its type. */
export const MALFORMED: Readonly<Record<string, Buffer>> = {
  'a Query without its zero': message('Q', 'select 2'),
  'a Query of nothing': message('Q', ''),
  'a Query with text behind its zero': message('Q', 'select 2\0select 3\0'),
  'a Query that is no UTF-8, with text behind its zero': message('Q', "select '\xff'\0x\0"),
  'a Parse of nothing': message('P', ''),
  'a Parse whose name has no end': message('P', 'abc'),
  'a Parse whose name is no UTF-8': message('P', 'a\xe9b\0select 2\0\0\0'),
  'a Parse whose text has no end': message('P', '\0select 2'),
  'a Parse without types': message('P', '\0select 2\0'),
  'a Parse that is no UTF-8, without types': message('P', "\0select '\xc3'\0"),
  'a Parse that counts more types than it has': message('P', '\0select 2\0\0\x02\0\0\0\x17'),
  'a Parse that counts 65,535 types': message('P', '\0select 2\0\xff\xff'),
  'a Parse with bytes behind its types': message('P', '\0select 2\0\0\0\0'),
  'a Bind of nothing': message('B', ''),
  'a Bind whose portal is no UTF-8': message('B', '\xff\0\0\0\0\0\0\0\0'),
  'a Bind whose statement is no UTF-8': message('B', '\0\xf0\x9f\0\0\0\0\0\0\0'),
  'a Bind of an unknown statement, without lists': message('B', '\0nothing\0'),
  'a Bind without lists': message('B', '\0m\0'),
  'a Bind that counts more formats than it has': message('B', '\0m\0\x7f\xff\0\0'),
  'a Bind that counts 65,535 formats': message('B', '\0m\0\xff\xff'),
  'a Bind of two formats and one value': message('B', '\0m\0\0\x02\0\0\0\0\0\x01\0\0\0\x017\0\0'),
  'a Bind of a format that there is not': message('B', '\0m\0\0\x01\0\x07\0\x01\0\0\0\x017\0\0'),
  'a Bind of more values than it has': message('B', '\0m\0\0\0\0\x01'),
  'a Bind of a value of length -2': message('B', '\0m\0\0\0\0\x01\xff\xff\xff\xfe\0\0'),
  'a Bind of a value longer than it': message('B', '\0m\0\0\0\0\x01\x7f\xff\xff\xff1\0\0'),
  'a Bind of a value that is no UTF-8': message('B', '\0m\0\0\0\0\x01\0\0\0\x01\xff\0\0'),
  'a Bind without formats of its result': message('B', '\0m\0\0\0\0\x01\0\0\0\x017'),
  'a Bind with bytes behind it': message('B', '\0m\0\0\0\0\x01\0\0\0\x017\0\0\0'),
  'a Describe of nothing': message('D', ''),
  'a Describe of a kind alone': message('D', 'S'),
  'a Describe of neither kind': message('D', 'X\0'),
  'a Describe of the kind of a small letter': message('D', 's\0'),
  'a Describe of neither kind, with bytes behind it': message('D', 'X\0\0'),
  'a Describe whose name is no UTF-8': message('D', 'S\xff\0'),
  'a Describe whose name has no end': message('D', 'Pabc'),
  'a Close of nothing': message('C', ''),
  'a Close of neither kind': message('C', '\xff\0'),
  'a Close whose name is no UTF-8': message('C', 'P\xed\xa0\x80\0'),
  'a Close with bytes behind it': message('C', 'Sabc\0\0'),
  'an Execute of nothing': message('E', ''),
  'an Execute without rows': message('E', '\0'),
  'an Execute whose portal is no UTF-8': message('E', '\x80\0\0\0\0\0'),
  'an Execute with bytes behind it': message('E', '\0\0\0\0\0\0'),
  'a Sync with a body': message('S', 'x'),
  'a Flush with a body': message('H', 'x'),
  'a CopyDone with a body': message('c', 'x'),
  'a CopyFail without its zero': message('f', 'x'),
  'a CopyFail that is no UTF-8': message('f', '\xff\0x'),
  'a Terminate with a body': message('X', 'x'),
  'a letter that there is not': message('?', ''),
  'a password': message('p', 'x\0'),
  'a length below 4': Buffer.from('H\0\0\0\x03', 'latin1'),
  'a Describe above 10,000 bytes': message('D', `S${'n'.repeat(10_000)}\0`),
}

/** The places where such a message comes: what is sent right before it. */
export const BEFORE: Readonly<Record<string, Buffer>> = {
  'at once': Buffer.alloc(0),
  'behind an execution': group('select 5'),
  'in a transaction': toServer.query('begin'),
  'in a transaction, behind an execution': Buffer.concat([
    toServer.query('begin'),
    group('select 5'),
  ]),
  'in a failed transaction': Buffer.concat([toServer.query('begin'), toServer.query('select 1/0')]),
  'behind an error': group('select 1/0'),
}

/** Amidst the data of a COPY. */
export const AMIDST_COPY: Readonly<Record<string, Buffer>> = {
  'a CopyDone with a body': message('c', 'x'),
  'a CopyFail without its zero': message('f', 'x'),
  'a CopyFail that is no UTF-8': message('f', '\xff\0'),
  'a Sync with a body': Buffer.concat([message('S', 'x'), toServer.copyDone()]),
  'a Flush with a body': Buffer.concat([message('H', 'x'), toServer.copyDone()]),
  'a Parse': message('P', ''),
}

/** Everything that a client is told, with PostgreSQL's words of errors of the protocol, up to the answer to a last question. */
export async function answersTo(
  wire: Pick<DirectWire, 'send' | 'until'>,
  ...bytes: readonly Buffer[]
): Promise<string[]> {
  wire.send(...bytes, toServer.sync(), toServer.query('rollback'), toServer.query("select 'end'"))
  const heard: string[] = []
  for (;;) {
    const frames = await wire.until('Z').catch(() => null)
    if (frames === null) return [...heard, 'closed']
    const said = frames
      .filter(({ tag }) => tag !== 'N')
      .flatMap((frame) => {
        const [word] = told([frame])
        if (word === undefined) return []
        return OF_PROTOCOL.has(word) ? [`${word} ${fieldOf(frame, 'M')}`] : [word]
      })
    heard.push(...said)
    if (said.includes('row end')) return heard
  }
}

/** Parse, Bind and Execute, and nothing behind them. */
function group(sql: string): Buffer {
  return Buffer.concat([toServer.parse('', sql), toServer.bind(), toServer.execute()])
}

function message(letter: string, body: string): Buffer {
  const bytes = Buffer.from(`${letter}\0\0\0\0${body}`, 'latin1')
  bytes.writeInt32BE(bytes.length - 1, 1)
  return bytes
}

const OF_PROTOCOL: ReadonlySet<string> = new Set(['error 08P01', 'error 22021', 'error 22023'])
