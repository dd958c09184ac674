import { apiKey } from './detectors/api-key.ts'
import { awsKeyId, awsSecret } from './detectors/aws-key.ts'
import { jwt } from './detectors/jwt.ts'
import { keyedSecret } from './detectors/keyed-secret.ts'
import { privateKey } from './detectors/private-key.ts'
import type { AccountDetector, NumberDetector, Span, WordDetector } from './detectors/span.ts'
import { DIGITS_MIN, GAP_MAX } from './features.ts'

/** A detector that begins at numbers, at accounts or at its words, and the list to which its hits are added. */
export type Search =
  | { readonly find: NumberDetector; readonly where: 'numbers'; readonly spans: Span[] }
  | { readonly find: AccountDetector; readonly where: 'accounts'; readonly spans: Span[] }
  | { readonly find: WordDetector; readonly where: 'words'; readonly spans: Span[] }

/**
 * Lets each detector look where it can begin, in one pass over a text. Method: numbers are at least 8 digits with at most two
 * separators between one and the next, and a plus or a bracket before the first digit belongs to them; accounts are two letters and
 * two digits; a word may begin where each of three characters in a row, in capitals or not, has its place in some word.
 */
export function searchBeginnings(codes: Uint8Array, searches: readonly Search[]): void {
  const pass = passOver(codes, searches)
  const { hasAccounts } = pass
  const wanted = pass.wanted << THIRD
  let last = 0
  let lastButOne = 0
  let start = 0
  let end = 0
  let digits = 0
  let gap = 0
  // Rare cases stand in functions of their own, so that this loop stays fast; it looks into one small table.
  for (let i = 0; i < codes.length; i++) {
    const kind = KIND_OF[codes[i] ?? 0] ?? 0
    if ((kind & DIGIT) !== 0) {
      if (digits === 0) start = i
      digits++
      end = i + 1
      gap = 0
      // No letter before it, but one before that.
      if (hasAccounts && (lastButOne & ~last & LETTER) !== 0) searchAccount(pass, i - 3)
    } else if (digits > 0 && ((kind & SEPARATOR) === 0 || ++gap > GAP_MAX)) {
      if (digits >= DIGITS_MIN) searchNumber(pass, start, end)
      digits = gap = 0
    }
    const begun = (lastButOne << THIRD) & (last << (THIRD - SECOND)) & kind & wanted
    if (begun !== 0) searchWord(pass, begun >> THIRD, i - 2)
    lastButOne = last
    last = kind
  }
  if (digits >= DIGITS_MIN) searchNumber(pass, start, end)
}

/** One pass over a text: its codes, the detectors that search it, and the places where hits may begin. */
type Pass = {
  readonly codes: Uint8Array
  readonly searches: readonly Search[]
  readonly hasAccounts: boolean
  /** The searches of the word detectors, in their order, and (`wanted`) a bit for each that there is. */
  readonly words: readonly (Search | undefined)[]
  readonly wanted: number
  /** By word detector, and behind them for accounts, the index from which a hit may begin. */
  readonly free: number[]
}

function passOver(codes: Uint8Array, searches: readonly Search[]): Pass {
  const words = WORD_DETECTORS.map((known) => searches.find(({ find }) => find === known))
  const wanted = words.reduce((bits, word, bit) => (word ? bits | (1 << bit) : bits), 0)
  const hasAccounts = searches.some(({ where }) => where === 'accounts')
  return { codes, searches, hasAccounts, words, wanted, free: [...words.map(() => 0), 0] }
}

function searchNumber({ codes, searches }: Pass, firstDigit: number, end: number): void {
  const start = Math.max(0, firstDigit - 1)
  for (const { where, find, spans } of searches) {
    if (where !== 'numbers') continue
    // A number may lie within a hit that began at the number before it.
    const from = Math.max(start, spans.at(-1)?.end ?? 0)
    if (from < end) find(codes, from, end, spans)
  }
}

function searchAccount({ codes, searches, free }: Pass, start: number): void {
  if (start < (free[WORD_DETECTORS.length] ?? 0)) return
  for (const { where, find, spans } of searches)
    if (where === 'accounts') free[WORD_DETECTORS.length] = find(codes, start, spans)
}

function searchWord({ codes, words, free }: Pass, begun: number, start: number): void {
  for (let left = begun; left !== 0; left &= left - 1) {
    const bit = 31 - Math.clz32(left & -left)
    if (start < (free[bit] ?? 0)) continue
    const word = words[bit]
    if (word?.where === 'words') free[bit] = word.find.at(codes, start, word.spans)
  }
}

const WORD_DETECTORS = [jwt, awsKeyId, awsSecret, apiKey, keyedSecret, privateKey]

/**
 * By character, in capitals or not: a bit for each detector of which a word begins with it, one for each that has it second
 * (from bit SECOND on) and third (from bit THIRD on), and what else it is.
 */
const KIND_OF = new Int32Array(256)
const SECOND = 8
const THIRD = 16
const DIGIT = 1 << 24
const SEPARATOR = 1 << 25
/** A letter, or another character that words begin with. */
const LETTER = 1 << 26
const mark = (chars: string, bits: number): void => {
  for (const char of chars)
    for (const code of [char.charCodeAt(0), char.toUpperCase().charCodeAt(0)])
      KIND_OF[code] = (KIND_OF[code] ?? 0) | bits
}
mark('abcdefghijklmnopqrstuvwxyz_-', LETTER)
mark('0123456789', DIGIT)
// The last two are a space that does not break, as it is in UTF-8 and by itself.
mark(' ().-/\u00c2\u00a0', SEPARATOR)
for (const [bit, { words }] of WORD_DETECTORS.entries())
  for (const word of words)
    for (const [place, char] of [...word.slice(0, 3).toLowerCase()].entries())
      mark(char, 1 << (bit + place * SECOND))
