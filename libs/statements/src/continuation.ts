import libpgQuery from 'libpg-query'

/**
 * The text with blanks in place of comments between the parts of a literal. PostgreSQL reads `'a' -- words⏎ 'b'` as one
 * literal; the scanner of this parser gives comments as tokens, so it sees two. Every position in bytes stays.
 * Method: what stands before the next part is scanned, and must end with a literal and comments. Limit: it looks at
 * `CANDIDATES_MAX` places of a text; a literal that goes on behind them does not parse.
 */
export function continued(text: string): string {
  let whole = text
  let from = 0
  for (let count = 0; count < CANDIDATES_MAX; count++) {
    GAP.lastIndex = from
    const gap = GAP.exec(whole)
    if (gap === null) return whole
    const begin = gap.index + 1
    const end = GAP.lastIndex
    if (endsWithLiteral(whole.slice(0, begin), whole.slice(begin, end)))
      whole = whole.slice(0, begin) + blanked(whole.slice(begin, end)) + whole.slice(end)
    from = begin
  }
  return whole
}

/** Whether a literal ends with the last quote before the gap, and nothing but comments stand in the gap. */
function endsWithLiteral(before: string, gap: string): boolean {
  const last = scanned(before + gap)?.findLast(({ tokenType }) => tokenType !== LINE_COMMENT)
  return (
    last !== undefined && LITERALS.has(last.tokenType) && last.end === Buffer.byteLength(before)
  )
}

type Token = { readonly end: number; readonly tokenType: number }

/** Null where a literal or a comment does not end. */
function scanned(text: string): readonly Token[] | null {
  try {
    return libpgQuery.scanSync(text).tokens
  } catch {
    return null
  }
}

const blanked = (gap: string): string =>
  gap.replaceAll(/--[^\n\r]*/g, (comment) => ' '.repeat(Buffer.byteLength(comment)))

/** A quote, and blanks and at least one comment up to another quote. */
const GAP = /'[ \t\n\r\f\v]*(?:--[^\n\r]*[\n\r][ \t\n\r\f\v]*)+(?=')/g
/** Numbers of the tokens in the parser's own enumeration: SCONST, USCONST, BCONST, XCONST. */
const LITERALS: ReadonlySet<number> = new Set([261, 262, 263, 264])
const LINE_COMMENT = 275
const CANDIDATES_MAX = 50
