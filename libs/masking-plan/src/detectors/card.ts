import { codeAt } from './chars.ts'
import { isDigit, type NumberDetector, type Span } from './span.ts'

/**
 * Payment card numbers (ISO/IEC 7812-1). Method: 13 to 19 digits with single spaces, dashes or dots between them, starting
 * and ending where the digits do, with the prefix and length of a known scheme and a right Luhn
 * digit. A dot alone is that of a decimal number, so dots stand between groups. Each group of digits is read once; a
 * start costs at most one look at each possible length. Limits: other separators and numbers inside longer runs of
 * digits are not found; about one in ten random numbers of such a prefix and length is taken for a card.
 */
export const card: NumberDetector = (codes, from, to, spans) => {
  for (let i = from; i < to;) {
    if (!isDigit(codes[i] ?? 0)) {
      i++
      continue
    }
    i = readChain(CHAIN, codes, i)
    if (CHAIN.digits >= LENGTH_MIN) cardsIn(CHAIN, spans)
  }
}

/** Groups of digits with single separators between them, as far as they are read. */
type Chain = {
  groups: number
  digits: number
  /** Of each group: its start in the text, and the numbers of digits and of dots between groups that are before it. */
  starts: Int32Array
  before: Int32Array
  dots: Int32Array
  /** Behind each digit: the number of groups up to there when one ends with it, 0 within a group. */
  ending: Uint16Array
  /** The digits, and the remainders of 10 of the sums up to each when those in even places are doubled, and those in odd ones. */
  values: Uint8Array
  evenDoubled: Uint8Array
  oddDoubled: Uint8Array
}

function newChain(): Chain {
  return {
    groups: 0,
    digits: 0,
    starts: new Int32Array(CHAIN_DIGITS_MAX + 1),
    before: new Int32Array(CHAIN_DIGITS_MAX + 1),
    dots: new Int32Array(CHAIN_DIGITS_MAX + 1),
    ending: new Uint16Array(CHAIN_DIGITS_MAX + 1),
    values: new Uint8Array(CHAIN_DIGITS_MAX),
    evenDoubled: new Uint8Array(CHAIN_DIGITS_MAX + 1),
    oddDoubled: new Uint8Array(CHAIN_DIGITS_MAX + 1),
  }
}

/**
 * Reads a chain from the start of a group; gives the index from which to go on. A group of more digits than a card has
 * belongs to no card and ends the chain. A long chain is cut so that the next piece begins with the groups that a card
 * across the cut would need.
 */
function readChain(chain: Chain, codes: Uint8Array, from: number): number {
  const { starts, before, dots, ending, values, evenDoubled, oddDoubled } = chain
  let groups = 0
  let digits = 0
  // Both sums change places with each digit, so that one line adds to them.
  let next = 0
  let other = 0
  let dotsUpTo = 0
  let i = from
  for (;;) {
    const start = i
    const first = digits
    let code = codes[i] ?? 0
    while (isDigit(code) && i - start <= LENGTH_MAX) {
      const value = code - 0x30
      values[digits] = value
      const doubled = UNITS[next + (DOUBLED[value] ?? 0)] ?? 0
      next = UNITS[other + value] ?? 0
      other = doubled
      digits++
      ending[digits] = 0
      const isEven = (digits & 1) === 0
      evenDoubled[digits] = isEven ? next : other
      oddDoubled[digits] = isEven ? other : next
      code = codeAt(codes, ++i)
    }
    if (i - start > LENGTH_MAX) {
      while (isDigit(codeAt(codes, i))) i++
      digits = first
      break
    }
    starts[groups] = start
    before[groups] = first
    dots[groups] = dotsUpTo
    if (code === DOT) dotsUpTo++
    groups++
    ending[digits] = groups
    if (SEPARATOR[code] === 0 || !isDigit(codeAt(codes, i + 1))) break
    if (digits > CHAIN_DIGITS_MAX - LENGTH_MAX - 1) {
      // Back to the first group with which a card could go on behind the cut.
      let back = groups
      while (back > 1 && digits - (before[back - 1] ?? 0) < LENGTH_MAX) back--
      i = back < groups ? (starts[back] ?? i) : i + 1
      break
    }
    i++
  }
  chain.groups = groups
  chain.digits = digits
  before[groups] = digits
  return i
}

function cardsIn(chain: Chain, spans: Span[]): void {
  const { groups, digits, starts, before, ending } = chain
  for (let group = 0; group < groups; group++) {
    const first = before[group] ?? 0
    if (digits - first < LENGTH_MIN) return
    const lengths = lengthsOf(chain.values, first)
    if (lengths === 0) continue
    let found = -1
    const longest = Math.min(LENGTH_MAX, digits - first)
    for (let length = LENGTH_MIN; length <= longest; length++) {
      const end = first + length
      const last = (ending[end] ?? 0) - 1
      if (last < 0 || (lengths & (1 << length)) === 0 || !isLuhn(chain, first, end)) continue
      if (areSeparators(chain, group, last)) found = last
    }
    if (found < 0) continue
    const start = starts[group] ?? 0
    const lastLength = (before[found + 1] ?? 0) - (before[found] ?? 0)
    const span = { start, end: (starts[found] ?? 0) + lastLength }
    // The pieces of a long chain overlap.
    if (start >= (spans.at(-1)?.end ?? 0)) spans.push(span)
    group = found
  }
}

// The digits that are doubled stand in every second place before the last (ISO/IEC 7812-1, annex B).
function isLuhn({ evenDoubled, oddDoubled }: Chain, first: number, end: number): boolean {
  const sums = (end & 1) === 0 ? evenDoubled : oddDoubled
  return sums[end] === sums[first]
}

// Dots only between 3 to 5 groups, of which the first has 4 digits and the others 3 to 7.
function areSeparators({ before, dots: upTo }: Chain, group: number, last: number): boolean {
  const dots = (upTo[last] ?? 0) - (upTo[group] ?? 0)
  if (dots === 0) return true
  const count = last - group
  if (dots !== count || count < 2 || count > 4) return false
  for (let i = group; i <= last; i++) {
    const length = (before[i + 1] ?? 0) - (before[i] ?? 0)
    if (i === group ? length !== 4 : length < 3 || length > 7) return false
  }
  return true
}

/** The lengths of card numbers that may begin with these digits, a bit for each; 0 when they are of no scheme. */
function lengthsOf(values: Uint8Array, first: number): number {
  const two = (values[first] ?? 0) * 10 + (values[first + 1] ?? 0)
  const lengths = LENGTHS[two] ?? 0
  if (two < 22 || two > 27) return lengths
  const four = two * 100 + (values[first + 2] ?? 0) * 10 + (values[first + 3] ?? 0)
  return four >= 2221 && four <= 2720 ? lengths : 0
}

/** By the first two digits, the lengths of numbers of the schemes (ISO/IEC 7812-1: the issuer identification number). */
function lengthsByStart(): Int32Array {
  const lengths = new Int32Array(100)
  const set = (first: number, last: number, bits: number): void => {
    lengths.fill(bits, first, last + 1)
  }
  // Diners and JCB; American Express.
  set(30, 30, from(14))
  set(35, 36, from(14))
  set(38, 39, from(14))
  set(34, 34, 1 << 15)
  set(37, 37, 1 << 15)
  // Visa.
  set(40, 49, (1 << 13) | (1 << 16) | (1 << 19))
  // Mastercard, the 2 series from 2221 to 2720 too; Maestro.
  set(22, 27, 1 << 16)
  set(51, 55, 1 << 16)
  set(50, 50, from(13))
  set(56, 59, from(13))
  // Maestro, Discover and UnionPay.
  set(60, 69, from(13))
  return lengths
}

const DOT = 0x2e
/** A space, also one that does not break, a dash and a dot. */
const SEPARATOR = new Uint8Array(256)
for (const code of [0x20, 0xa0, 0x2d, DOT]) SEPARATOR[code] = 1
const LENGTH_MIN = 13
const LENGTH_MAX = 19
const from = (length: number): number => (1 << (LENGTH_MAX + 1)) - (1 << length)
const LENGTHS = lengthsByStart()
/** The sum of the digits of a doubled digit; and (`UNITS`) the last digit of a sum. */
const DOUBLED = Uint8Array.of(0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
const UNITS = Uint8Array.from({ length: 20 }, (_, sum) => sum % 10)
/** A longer chain is read in pieces, so that memory stays small. */
const CHAIN_DIGITS_MAX = 1_024
const CHAIN = newChain()
