import { BASE64, CAPITAL, codeAt, isAt, isAtFolded, isIn, runEnd, table, WORD } from './chars.ts'
import type { Span, WordDetector } from './span.ts'

/**
 * Key ids of Amazon Web Services. Method: by their prefix and length (IAM identifiers, "Understanding unique ID prefixes").
 */
export const awsKeyId: WordDetector = {
  words: ['AKIA', 'ASIA', 'AROA', 'AIDA'],
  at(codes, start, spans) {
    const end = keyIdEnd(codes, start)
    if (end !== null) spans.push({ start, end })
    return start + 1
  },
}

/**
 * Secrets of Amazon Web Services. Method: 40 characters behind a name that starts with aws_secret. Limits: a secret without its
 * name is not found.
 */
export const awsSecret: WordDetector = {
  words: ['aws'],
  at(codes, start, spans) {
    const from = nameEnd(codes, start)
    if (from === null) return start + 1
    const found = secretBehind(codes, from)
    if (found !== null) {
      spans.push(found)
      return start + 1
    }
    // A run that is too long for a secret is read once: only behind the last names in it one may stand.
    const end = runEnd(BASE64, codes, from)
    return Math.max(start + 1, end - NAMED_SECRET_MAX)
  },
}

/** The end of a key id, which is a run of its own. */
function keyIdEnd(codes: Uint8Array, start: number): number | null {
  if (isIn(CAPITAL, codes, start - 1)) return null
  if (!KEY_ID_PREFIXES.some((prefix) => isAt(prefix, codes, start))) return null
  const end = runEnd(CAPITAL, codes, start, KEY_ID_LENGTH + 1)
  return end - start === KEY_ID_LENGTH ? end : null
}

/** aws_?secret, in capitals or not. */
function nameEnd(codes: Uint8Array, start: number): number | null {
  if (!isAtFolded(AWS, codes, start)) return null
  const aws = start + AWS.length
  const secret = codeAt(codes, aws) === UNDERSCORE ? aws + 1 : aws
  return isAtFolded(SECRET, codes, secret) ? secret + SECRET.length : null
}

/** name: WORD{0,20}; then, each of them or none: a backslash, a quote, blanks, a sign of assignment, blanks, a backslash, a quote. */
function secretBehind(codes: Uint8Array, from: number): Span | null {
  const name = runEnd(WORD, codes, from, NAME_MAX)
  // Nothing between: the secret is the end of the run that its name begins.
  const nextEnd = runEnd(BASE64, codes, name, SECRET_LENGTH + 1)
  const start = nextEnd - SECRET_LENGTH
  if (start >= from && start <= name && runEnd(BASE64, codes, start, name - start) === name)
    return { start, end: nextEnd }
  if (isIn(WORD, codes, name)) return null
  let value = name
  for (const { chars, max } of BETWEEN) value = runEnd(chars, codes, value, max)
  const end = value === name ? nextEnd : runEnd(BASE64, codes, value, SECRET_LENGTH + 1)
  return end - value === SECRET_LENGTH ? { start: value, end } : null
}

const AWS = Buffer.from('aws')
const SECRET = Buffer.from('secret')
const UNDERSCORE = 0x5f
const KEY_ID_PREFIXES = ['AKIA', 'ASIA', 'AROA', 'AIDA'].map((prefix) => Buffer.from(prefix))
const KEY_ID_LENGTH = 20
const BETWEEN = [
  { chars: table('\\'), max: 1 },
  { chars: table(`"'`), max: 1 },
  { chars: table(' \t'), max: 4 },
  { chars: table('=:,>\t'), max: 2 },
  { chars: table(' \t'), max: 4 },
  { chars: table('\\'), max: 1 },
  { chars: table(`"'`), max: 1 },
]
/** WORD{0,20} behind the name. */
const NAME_MAX = 20
const SECRET_LENGTH = 40
/** The longest run that a name begins and that has its secret in it or right behind it. */
const NAMED_SECRET_MAX = AWS.length + 1 + SECRET.length + NAME_MAX + SECRET_LENGTH
