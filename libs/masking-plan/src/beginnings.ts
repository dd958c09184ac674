import { apiKey } from './detectors/api-key.ts'
import { awsKey } from './detectors/aws-key.ts'
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
 * two digits; words are told by three characters in a row, in capitals or not, which are looked up in a table.
 */
export function searchBeginnings(codes: Uint8Array, searches: readonly Search[]): void {
  const pass = passOver(codes, searches)
  const { wanted, hasAccounts } = pass
  let last = 0
  let start = 0
  let end = 0
  let digits = 0
  let gap = 0
  // Rare cases stand in functions of their own, so that this loop stays fast.
  for (let i = 0; i < codes.length; i++) {
    const kind = KIND_OF[codes[i] ?? 0] ?? 0
    if ((kind & DIGIT) !== 0) {
      if (digits === 0) start = i
      digits++
      end = i + 1
      gap = 0
      // No letter before it, but one before that.
      if (hasAccounts && (last & FOLDED) === 0 && last > FOLDED) searchAccount(pass, i - 3)
    } else if (digits > 0 && ((kind & SEPARATOR) === 0 || ++gap > GAP_MAX)) {
      if (digits >= DIGITS_MIN) searchNumber(pass, start, end)
      digits = gap = 0
    }
    last = ((last << 5) | (kind & FOLDED)) & LAST_THREE
    const begun = (BEGINS[last] ?? 0) & wanted
    if (begun !== 0) searchWord(pass, begun, i - 2)
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

/** In the bits of each kind: the character itself, in capitals or not, where words have it; digit; separator. */
const FOLDED = 31
const DIGIT = 32
const SEPARATOR = 64
const KIND_OF = new Uint8Array(256)
for (const [index, char] of [...'abcdefghijklmnopqrstuvwxyz_-'].entries()) {
  KIND_OF[char.charCodeAt(0)] = index + 1
  KIND_OF[char.toUpperCase().charCodeAt(0)] = index + 1
}
for (const char of '0123456789') KIND_OF[char.charCodeAt(0)] = DIGIT
// The last two are a space that does not break, as it is in UTF-8 and by itself.
for (const char of ' ().-/\u00c2\u00a0') {
  const code = char.charCodeAt(0)
  KIND_OF[code] = (KIND_OF[code] ?? 0) | SEPARATOR
}

const WORD_DETECTORS = [jwt, awsKey, apiKey, keyedSecret, privateKey]
const LAST_THREE = 0x7fff
/** By the last three characters, a bit for each detector of which a word begins so. */
const BEGINS = new Uint8Array(LAST_THREE + 1)
for (const [bit, { words }] of WORD_DETECTORS.entries())
  for (const word of words) {
    let last = 0
    for (const char of word.slice(0, 3))
      last = (last << 5) | ((KIND_OF[char.charCodeAt(0)] ?? 0) & FOLDED)
    BEGINS[last] = (BEGINS[last] ?? 0) | (1 << bit)
  }
