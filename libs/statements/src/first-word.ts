import { eachToken } from './lexer.ts'
import { LOOP_BYTES_MAX } from './parser.ts'

/**
 * The word that a text begins with, behind comments and empty statements; `?` where another token stands there. Empty when
 * there is none, or when the word may go on behind the part of a long text that is looked at.
 */
export function firstWordOf(sql: string): string {
  const looked = sql.slice(0, LOOP_BYTES_MAX)
  let word: string | null = null
  eachToken(looked, (kind, start, end) => {
    const isEmpty = kind === 'comment' || (kind === 'sign' && looked[start] === ';')
    if (word !== null || isEmpty) return
    const isCut = end === looked.length && looked.length < sql.length
    word = isCut ? '' : kind === 'word' ? looked.slice(start, end) : '?'
  })
  return word ?? ''
}
