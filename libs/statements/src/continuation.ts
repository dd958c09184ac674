import { eachToken } from './lexer.ts'

/**
 * The text with blanks in place of its comments. PostgreSQL reads `'a' -- words⏎ 'b'` as one literal, and NOT with a comment
 * before IN as one operator; the scanner of this parser gives comments as tokens, so its grammar sees them apart. A comment
 * in slashes between two literals stays, since PostgreSQL does not read on over it. Every position in bytes stays, unless
 * `blanks` says otherwise.
 */
export function continued(text: string, blanks: (comment: string) => string = ofBytes): string {
  if (!text.includes('--') && !text.includes('/*')) return text
  // bound: as long as one statement
  const comments: (readonly [start: number, end: number])[] = []
  let isBehindString = false
  // bound: as long as one statement
  let open: (readonly [start: number, end: number])[] = []
  const isWhole = eachToken(
    text,
    (kind, start, end) => {
      if (kind === 'comment') {
        const isKept = isBehindString && text.startsWith('/*', start)
        const into = isKept ? open : comments
        into.push([start, end])
        return
      }
      if (!text.startsWith("'", start)) comments.push(...open)
      open = []
      isBehindString = kind === 'string'
    },
    (start, end) => comments.push([start, end]),
  )
  comments.push(...open)
  return isWhole ? without(text, comments, blanks) : text
}

function without(
  text: string,
  comments: (readonly [start: number, end: number])[],
  blanks: (comment: string) => string,
): string {
  let whole = ''
  let at = 0
  for (const [start, end] of comments.sort(([one], [other]) => one - other)) {
    whole += text.slice(at, start) + blanks(text.slice(start, end))
    at = end
  }
  return whole + text.slice(at)
}

const ofBytes = (comment: string): string => ' '.repeat(Buffer.byteLength(comment))
