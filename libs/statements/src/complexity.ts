import { eachToken, runEnd } from './lexer.ts'

/**
 * The reason why a text would cost more than it may, or null. Called before the grammar; makes one pass over the text.
 *
 * Purpose: the grammar cannot be interrupted and keeps no count. Its lexer reads a run of operator characters again for
 * each token in it, so that 60 KB of nested comments take seconds; and deep nesting, or a long chain of operators,
 * overflows its stack, after which its memory cannot be trusted.
 * Method: counts brackets, CASE, chains of operators, of joins and of set operations, and the length of operator runs.
 * AND, OR, lists and VALUES are flat, however long they are.
 * Known limit: a chain is counted as deep as if all of it were nested, so that `a + b * c + d` counts three.
 */
export function complexityOf(text: string): string | null {
  let nesting = 0
  let depth = 0
  let work = 0
  let run = 0
  let problem: string | null = null
  // bound: NESTING_MAX
  const frames: Frame[] = [newFrame()]
  let frame = frames[0] ?? newFrame()
  const open = (): void => {
    frames.push(newFrame())
    frame = frames[frames.length - 1] ?? frame
    nesting = Math.max(nesting, frames.length - 1)
  }
  const close = (): void => {
    if (frames.length === 1) return
    depth -= lengthOf(frame)
    frames.pop()
    frame = frames[frames.length - 1] ?? frame
  }
  const chained = (kind: keyof Frame, by = 1): void => {
    frame[kind] += by
    depth += by
    if (depth > CHAIN_MAX)
      problem ??= `chains or nests more than ${CHAIN_MAX} operators, joins or queries`
  }
  const ends = (...kinds: (keyof Frame)[]): void => {
    for (const kind of kinds) {
      depth -= frame[kind]
      frame[kind] = 0
    }
  }

  eachToken(text, (kind, start, end) => {
    if (problem !== null) return
    switch (kind) {
      case 'comment': {
        const found = commentCost(text, start, end, run)
        run = found.run
        work += found.work
        if (found.nesting > COMMENT_NESTING_MAX)
          problem = `nests more than ${COMMENT_NESTING_MAX} comments`
        break
      }
      case 'operator': {
        const length = end - start
        if (length > OPERATOR_MAX)
          problem = `has an operator longer than ${OPERATOR_MAX} characters`
        work += length ** 3 / 4
        // A run that ends in + or - may be as many operators as characters: PostgreSQL splits trailing signs off.
        chained('operators', SPLIT.has(text.charCodeAt(end - 1)) ? length : 1)
        break
      }
      case 'sign':
        switch (text.charCodeAt(start)) {
          case OPEN:
            open()
            break
          case OPEN_SQUARE:
            chained('operators')
            open()
            break
          case CLOSE:
          case CLOSE_SQUARE:
            close()
            break
          case COMMA:
            ends('operators', 'joins')
            break
          case SEMICOLON:
            ends('operators', 'joins', 'queries')
            break
          case COLON:
            chained('operators')
            break
        }
        break
      case 'word':
        word(text, start, end)
        break
      case 'name':
      case 'string':
      case 'number':
      case 'parameter':
        break
    }
    if (nesting > NESTING_MAX) problem ??= `nests more than ${NESTING_MAX} brackets`
    if (work > LEXER_WORK_MAX) problem ??= 'has too many operator characters in a row'
  })
  return problem

  function word(text: string, start: number, end: number): void {
    if (end - start > WORD_MAX) return
    switch (text.slice(start, end).toLowerCase()) {
      case 'case':
        return open()
      case 'end':
        return close()
      case 'join':
        ends('operators')
        return chained('joins')
      case 'union':
      case 'except':
      case 'intersect':
        ends('operators', 'joins')
        return chained('queries')
      case 'select':
        return ends('operators', 'joins')
      case 'and':
      case 'or':
      case 'when':
      case 'then':
      case 'else':
      case 'from':
      case 'where':
      case 'on':
        return ends('operators')
      case 'not':
      case 'is':
      case 'isnull':
      case 'notnull':
      case 'like':
      case 'ilike':
      case 'similar':
      case 'between':
      case 'in':
      case 'collate':
      case 'at':
      case 'operator':
        return chained('operators')
    }
  }
}

/** The chains that are open at one level of brackets. */
type Frame = { operators: number; joins: number; queries: number }

const newFrame = (): Frame => ({ operators: 0, joins: 0, queries: 0 })
const lengthOf = (frame: Frame): number => frame.operators + frame.joins + frame.queries

type Comment = { readonly work: number; readonly nesting: number; readonly run: number }

/** Counts the characters that the lexer of PostgreSQL reads again: at each start of a comment the rest of the run. */
function commentCost(text: string, start: number, end: number, runBefore: number): Comment {
  let run = runBefore
  if (text.charAt(start) === '-') return { work: 0, nesting: 0, run }
  let work = 0
  let open = 0
  let nesting = 0
  for (let at = start; at >= 0 && at < end; at = text.indexOf('/', at + 1)) {
    if (text.charAt(at + 1) === '*') {
      if (at >= run) run = runEnd(text, at)
      work += run - at
      open++
      nesting = Math.max(nesting, open)
      at++
    } else if (text.charAt(at - 1) === '*') open--
  }
  return { work, nesting, run }
}

const NESTING_MAX = 200
const CHAIN_MAX = 1_000
const COMMENT_NESTING_MAX = 32
/** In characters. PostgreSQL's own limit for names, those of operators among them, is 63 bytes. */
const OPERATOR_MAX = 64
/** Characters that the lexer reads again; a million of them take about a millisecond. */
const LEXER_WORK_MAX = 10_000_000
const WORD_MAX = 12
const SPLIT: ReadonlySet<number> = new Set([43, 45])
const [OPEN, CLOSE, COMMA, COLON, SEMICOLON, OPEN_SQUARE, CLOSE_SQUARE] = [
  40, 41, 44, 58, 59, 91, 93,
] as const
