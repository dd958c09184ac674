import { BASE64, CAPITAL, isIn, runEnd, runsOf, table, WORD } from './chars.fixture.ts'
import type { Span } from './span.fixture.ts'

/**
 * Keys of Amazon Web Services. Method: key ids by their prefix and length; secrets of 40 characters
 * behind a name that starts with aws_secret. Limits: a secret without its name is not found.
 */
export function awsKey(text: string, from = 0, to = text.length): Span[] {
  const spans: Span[] = []
  const runs: Runs = { word: runsOf(WORD, text), base64: runsOf(BASE64, text) }
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if ((code | 0x20) !== LETTER_A) continue
    const keyEnd = code === CAPITAL_A ? keyIdEnd(text, i) : null
    if (keyEnd !== null) spans.push({ start: i, end: keyEnd })
    const name = nameEnd(text, i)
    const found = name === null ? null : secretBehind(text, name, runs)
    if (found !== null) spans.push(found)
  }
  return spans
}

/** The end of a key id, which is a run of its own. */
function keyIdEnd(text: string, start: number): number | null {
  if (text.charCodeAt(start + 3) !== CAPITAL_A || isIn(CAPITAL, text, start - 1)) return null
  if (!KEY_ID_PREFIXES.has(text.slice(start, start + 4))) return null
  const end = runEnd(CAPITAL, text, start, KEY_ID_LENGTH + 1)
  return end - start === KEY_ID_LENGTH ? end : null
}

/** aws_?secret, in capitals or not. */
function nameEnd(text: string, start: number): number | null {
  const aws = wordEnd(text, start, NAME)
  if (aws === null) return null
  return wordEnd(text, text[aws] === '_' ? aws + 1 : aws, 'secret')
}

function wordEnd(text: string, start: number, word: string): number | null {
  for (let i = 0; i < word.length; i++)
    if ((text.charCodeAt(start + i) | 0x20) !== word.charCodeAt(i)) return null
  return start + word.length
}

/** name: WORD{0,20}; then, each of them or none: a backslash, a quote, blanks, a sign of assignment, blanks, a backslash, a quote. */
function secretBehind(text: string, from: number, { word, base64 }: Runs): Span | null {
  const name = word(from, NAME_MAX)
  // Nothing between: the secret is the end of the run that its name begins.
  const nextEnd = base64(name, SECRET_LENGTH + 1)
  const start = nextEnd - SECRET_LENGTH
  if (start >= from && start <= name && runEnd(BASE64, text, start, SECRET_LENGTH) === nextEnd)
    return { start, end: nextEnd }
  if (isIn(WORD, text, name)) return null
  let value = name
  for (const { chars, max } of BETWEEN) value = runEnd(chars, text, value, max)
  const end = base64(value, SECRET_LENGTH + 1)
  return end - value === SECRET_LENGTH ? { start: value, end } : null
}

type Runs = Readonly<Record<'word' | 'base64', ReturnType<typeof runsOf>>>

/** The beginning of the names of secrets. */
export const NAME = 'aws'
const LETTER_A = 0x61
const CAPITAL_A = 0x41
export const KEY_ID_PREFIXES: ReadonlySet<string> = new Set(['AKIA', 'ASIA', 'AROA', 'AIDA'])
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
const NAME_MAX = 20
const SECRET_LENGTH = 40
