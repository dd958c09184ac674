import { eachToken } from './lexer.ts'

/**
 * The text with blanks in place of comments between the parts of a literal. PostgreSQL reads `'a' -- words⏎ 'b'` as one
 * literal; the scanner of this parser gives comments as tokens, so it sees two. Every position in bytes stays.
 */
export function continued(text: string): string {
  if (!text.includes('--')) return text
  let whole = ''
  let at = 0
  const isWhole = eachToken(
    text,
    () => undefined,
    (start, end) => {
      whole += text.slice(at, start) + ' '.repeat(Buffer.byteLength(text.slice(start, end)))
      at = end
    },
  )
  return isWhole && at > 0 ? whole + text.slice(at) : text
}
