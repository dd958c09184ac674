import { BASE64, CAPITAL, isIn, runEnd, WORD } from './chars.ts'
import type { Span } from './span.ts'

/**
 * Keys of Amazon Web Services. Method: key ids by their prefix and length; secrets of 40 characters
 * behind a name that starts with aws_secret. Limits: a secret without its name is not found.
 */
export function awsKey(text: string): Span[] {
  const spans: Span[] = []
  for (let i = 0; i < text.length; i++) {
    if (!isIn(CAPITAL, text, i)) continue
    const start = i
    i = runEnd(CAPITAL, text, i)
    if (i - start === KEY_ID_LENGTH && PREFIXES.has(text.slice(start, start + 4)))
      spans.push({ start, end: i })
  }
  // Names may follow each other in one run, which is read once.
  const run = { start: 0, end: 0 }
  for (const match of text.matchAll(NAME)) {
    const found = secretBehind(text, match.index + match[0].length, run)
    if (found !== null) spans.push(found)
  }
  return spans
}

/** name: WORD{0,20}; then, each of them or none: a backslash, a quote, blanks, a sign of assignment, blanks, a backslash, a quote. */
function secretBehind(
  text: string,
  from: number,
  seen: { start: number; end: number },
): Span | null {
  const name = runEnd(WORD, text, from, NAME_MAX)
  // Nothing between: the secret is the end of the run that its name begins.
  if (name < seen.start || name >= seen.end) {
    seen.start = name
    seen.end = runEnd(BASE64, text, name)
  }
  const start = seen.end - SECRET_LENGTH
  if (start >= from && start <= name && runEnd(BASE64, text, start, SECRET_LENGTH) === seen.end)
    return { start, end: seen.end }
  if (isIn(WORD, text, name)) return null
  let value = name
  for (const [chars, max] of BETWEEN)
    for (let i = 0; i < max && isOneOf(chars, text, value); i++) value++
  const end = runEnd(BASE64, text, value, SECRET_LENGTH + 1)
  return end - value === SECRET_LENGTH ? { start: value, end } : null
}

const isOneOf = (chars: string, text: string, index: number): boolean =>
  index < text.length && chars.includes(text.charAt(index))

const NAME = /aws_?secret/gi
const PREFIXES: ReadonlySet<string> = new Set(['AKIA', 'ASIA', 'AROA', 'AIDA'])
const KEY_ID_LENGTH = 20
const BETWEEN: readonly (readonly [string, number])[] = [
  ['\\', 1],
  [`"'`, 1],
  [' \t', 4],
  ['=:,>\t', 2],
  [' \t', 4],
  ['\\', 1],
  [`"'`, 1],
]
const NAME_MAX = 20
const SECRET_LENGTH = 40
