import type { DetectorName } from './detect.ts'

/** Texts that make each detector work hard: beginnings of what it looks for, over and over, which come to nothing late. */
export const ADVERSARIAL: Readonly<Record<DetectorName | 'encoded', readonly string[]>> = {
  email: [
    ...['@', 'a@', 'a@a@', 'a@a.', 'a@a.b', 'a@a.b1@', '.@.', 'ü@ü.', '@a.b.c.d.', '𝒜@'],
    `${'a'.repeat(1_000)}@ `,
    `a@${'b.'.repeat(500)}1 `,
    `${'a'.repeat(400)}@${'b.1'.repeat(400)}`,
  ],
  card: [
    ...['4 ', '6 ', '6 0 ', '3 8 ', '5 0-', '4.', '6666.', '4111 ', '4111.1', '1', '60 ', '6 6 1 '],
    ...['3.6 ', '4 4 4.', '411111111111111 2 ', '6'.repeat(19) + ' ', '0 6 ', '4'.repeat(20)],
    ...['6000.000.000.00 ', '2720 0', '66 6 6-', '5 6 7 8 '],
  ],
  ssn: [
    '1',
    '1-',
    '123-',
    '123-4',
    '123-45-',
    '123-45-678 ',
    '123 45 ',
    '12 ',
    '000-',
    '123-45-0000 ',
  ],
  iban: [
    ...[
      'DE89',
      'DE89 ',
      'D8 ',
      'MT00 ',
      'LC01-',
      'ab12 ',
      'RU00 ',
      'RU00-A',
      'MT31 1111 ',
      'RU00 00 00 ',
    ],
    `RU00${'0'.repeat(28)} `,
    `RU00 ${'0'.repeat(29)} `,
  ],
  phone: [
    ...[
      '+',
      '+1',
      '+1 ',
      '+1  1',
      '001',
      '001 ',
      '001 1 1 1 1 1 1',
      '0',
      '(',
      '(123',
      '123-',
      '123-456-',
      '1.',
    ],
    ...[
      '(123) 123-',
      '123-123-123 ',
      ' 001234567',
      '+1 1 1 1 1 1 1',
      '+123456789012345678 ',
      '00 ',
      '0011 ',
    ],
  ],
  jwt: [
    ...[
      'eyJ',
      'eyJ.',
      'eyJaaaaa.',
      'eyJaaaaa.a',
      'eyJaaaaa..',
      '.',
      'ey',
      'eyJeyJeyJ.a.',
      'e.',
      'eyJaaaaa.aa ',
    ],
    `eyJ${'a'.repeat(1_000)} `,
    `eyJ${'a'.repeat(1_000)}.`,
  ],
  'aws-key': [
    ...[
      'AKIA',
      'AKIA ',
      'AKIAAKIAAKIAAKIAAKIA',
      'AKIAAAAAAAAAAAAAAAA ',
      'A',
      'aws_secret',
      'awssecret',
      'AWS_SECRET ',
    ],
    ...['aws_secret_', 'aws_secret    ', 'awssecret=', 'aws', `awssecret\\"  ==  \\"`],
    `aws_secret ${'a'.repeat(39)} `,
    `awssecret${'a'.repeat(41)} `,
  ],
  'api-key': [
    ...[
      'sk_',
      'sk-',
      'sk_live_',
      'gh',
      'ghp_',
      'github_pat_',
      'xox',
      'xoxb-',
      'glpat-',
      'AIza',
      'npm_',
      'npm_a ',
    ],
    ...[
      'key=',
      'key',
      'keys',
      'token: ',
      'password    ',
      'secret\\"',
      'key=key=',
      'bearer \t\t\t ',
      'key= a1',
      'pwd==>',
    ],
    ...[
      '-',
      '-----BEGIN ',
      '-----BEGIN A',
      '-----BEGIN PRIVATE KEY-----',
      '-----END ',
      '-----BEGIN PRIVATE KEY',
    ],
    `-----BEGIN ${'PRIVATE '.repeat(4)} `,
    `sk-${'a'.repeat(19)} `,
    `AIza${'a'.repeat(29)} `,
    `key=${'a1b2'.repeat(127)}, `,
    `key=${'a'.repeat(15)} `,
  ],
  encoded: [
    'a',
    '0',
    'VV',
    'aaaaaaaaaaa ',
    '000000000000 ',
    `${'a'.repeat(76)}\n`,
    'aaaaaaaaaaaa,',
    'f'.repeat(13) + 'g',
  ],
}

/** The text over and over, up to a length. */
export const repeated = (text: string, length: number): string =>
  text.repeat(Math.ceil(length / text.length)).slice(0, length)

/** What detectors work hard on, in base64 at each alignment and in hex. */
export function hidden(text: string): string[] {
  const bytes = Buffer.from(text)
  const plain = [0, 1, 2, 3].map((shift) => 'A'.repeat(shift) + bytes.toString('base64'))
  return [...plain, bytes.toString('hex'), `a${bytes.toString('hex')}`]
}

/**
 * Whether eight times the text takes at most three times eight times the work: with the square it would be 64. Compares
 * processor time with processor time, so that neither a slow machine nor a busy one changes the answer.
 */
export function isLinear(text: string, find: (text: string) => unknown): boolean {
  const short = repeated(text, SHORT_CHARS)
  const long = repeated(text, 8 * SHORT_CHARS)
  let ofShort = Infinity
  let ofLong = Infinity
  // The first times the code is not yet compiled, and something else may get in between at any time.
  for (let round = 0; round < ROUNDS_MAX; round++) {
    ofShort = Math.min(ofShort, Math.max(work(short, find), WORK_US_MIN))
    ofLong = Math.min(ofLong, work(long, find))
    if (round > 0 && ofLong <= 3 * 8 * ofShort) return true
  }
  return false
}

/** The MB a second that are searched, of processor time. */
export function speed(text: string, find: (text: string) => unknown): number {
  const best = Math.min(...Array.from({ length: 5 }, () => work(text, find)))
  return Buffer.byteLength(text) / Math.max(1, best)
}

/** The processor time in microseconds. That of the thread alone is counted in ticks of 4 ms on some systems. */
function work(text: string, find: (text: string) => unknown): number {
  const before = process.cpuUsage()
  find(text)
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const SHORT_CHARS = 8_000
const ROUNDS_MAX = 12
/** Less than this is not told apart from nothing. */
const WORK_US_MIN = 100
