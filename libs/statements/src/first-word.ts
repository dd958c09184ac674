import { eachToken } from './lexer.ts'

/**
 * The word that a text begins with, behind comments and empty statements; `?` where another token stands there. Empty when
 * there is none, or when it is not found in the part of a long text that is looked at.
 */
export function firstWordOf(sql: string): string {
  const [first = ''] = firstTokensOf(sql, 1)
  return first === '' || WORD.test(first) ? first : '?'
}

/**
 * The first tokens of a text, behind empty statements and without comments: fewer where the text has fewer, or where they
 * are not found in the part of a long text that is looked at. It takes about the time of a search for a word.
 */
export function firstTokensOf(sql: string, count: number): readonly string[] {
  // bound: the count
  const tokens: string[] = []
  let at = 0
  while (tokens.length < count) {
    at = tokenStart(sql, at, tokens.length === 0 ? EMPTY_STATEMENTS : BLANK) ?? sql.length
    const token = tokenAt(sql, at)
    if (token === '') break
    tokens.push(token)
    at += token.length
  }
  return tokens
}

/** A text of few tokens without its comments; null where it has more, or their end is not found in the part that is looked at. */
export function withoutComments(sql: string): string | null {
  // bound: TOKENS_MAX
  const tokens: string[] = []
  for (let at = tokenStart(sql, 0, BLANK); at !== null; at = tokenStart(sql, at, BLANK)) {
    if (at === sql.length) return tokens.join(' ')
    const token = tokenAt(sql, at)
    if (token === '' || tokens.push(token) > TOKENS_MAX) return null
    at += token.length
  }
  return null
}

/** The token that begins here; empty where its end is not in the part that is looked at. */
function tokenAt(sql: string, at: number): string {
  const looked = sql.slice(at, at + LOOKED_CHARACTERS)
  let end = 0
  eachToken(looked, (_, from, to) => {
    if (from === 0) end = to
  })
  const isCut = end === looked.length && at + end < sql.length
  return isCut ? '' : looked.slice(0, end)
}

/** The place behind what is blank, and comments, from here on; null where these are too many. */
function tokenStart(sql: string, start: number, blank: RegExp): number | null {
  let at = start
  for (let left = STEPS_MAX; left > 0; left--) {
    blank.lastIndex = at
    blank.test(sql)
    at = blank.lastIndex
    if (sql.startsWith('--', at)) at = foundBehind(LINE_END, sql, at)
    else if (!sql.startsWith('/*', at)) return at
    else {
      let depth = 0
      do {
        at = foundBehind(COMMENT_MARK, sql, at)
        depth += sql.startsWith('/*', at - 2) ? 1 : -1
      } while (depth > 0 && at < sql.length && --left > 0)
    }
  }
  return null
}

/** The end of what is found next from here on, or of the text. */
function foundBehind(pattern: RegExp, sql: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(sql) ? pattern.lastIndex : sql.length
}

const BLANK = /[ \t\n\r\f\v]*/y
const EMPTY_STATEMENTS = /[ \t\n\r\f\v;]*/y
const LINE_END = /[\n\r]/g
const COMMENT_MARK = /\/\*|\*\//g
const WORD = /^[a-z_\u0080-\uffff]/i
const LOOKED_CHARACTERS = 1_024
const TOKENS_MAX = 50
/** The most comments, and marks of comments within others, that are passed over. */
const STEPS_MAX = 1_000
