import { isDigit, type Span } from './span.fixture.ts'

/**
 * Payment card numbers. Method: 13 to 19 digits with single spaces, dashes or dots between them, starting
 * and ending where the digits do, with the prefix and length of a known scheme and a right Luhn
 * digit. A dot alone is that of a decimal number, so dots stand between groups. Each group of digits is read once; a
 * start costs at most one look at each possible length. Limits: other separators and numbers inside longer runs of
 * digits are not found; about one in ten random numbers of such a prefix and length is taken for a card.
 */
export function card(text: string, start = 0, end = text.length): Span[] {
  const spans: Span[] = []
  const chain = CHAIN
  for (let i = start; i < end;) {
    if (!isDigit(text.charCodeAt(i))) {
      i++
      continue
    }
    i = readChain(chain, text, i)
    if (chain.digits >= LENGTH_MIN) cardsIn(chain, spans)
  }
  return spans
}

/** Groups of digits with single separators between them, as far as they are read. */
type Chain = {
  groups: number
  digits: number
  /** Of each group: its start in the text, and the numbers of digits and of dots between groups that are before it. */
  starts: Int32Array
  before: Int32Array
  dots: Int32Array
  /** The digits, and the sums up to each when those in even places are doubled, and those in odd ones. */
  values: Uint8Array
  evenDoubled: Uint16Array
  oddDoubled: Uint16Array
}

function newChain(): Chain {
  return {
    groups: 0,
    digits: 0,
    starts: new Int32Array(CHAIN_DIGITS_MAX + 1),
    before: new Int32Array(CHAIN_DIGITS_MAX + 1),
    dots: new Int32Array(CHAIN_DIGITS_MAX + 1),
    values: new Uint8Array(CHAIN_DIGITS_MAX),
    evenDoubled: new Uint16Array(CHAIN_DIGITS_MAX + 1),
    oddDoubled: new Uint16Array(CHAIN_DIGITS_MAX + 1),
  }
}

/**
 * Reads a chain from the start of a group; gives the index from which to go on. A group of more digits than a card has
 * belongs to no card and ends the chain. A long chain is cut so that the next piece begins with the groups that a card
 * across the cut would need.
 */
function readChain(chain: Chain, text: string, from: number): number {
  const { starts, before, dots, values, evenDoubled, oddDoubled } = chain
  let groups = 0
  let digits = 0
  dots[0] = 0
  let i = from
  for (;;) {
    const start = i
    const first = digits
    let even = evenDoubled[digits] ?? 0
    let odd = oddDoubled[digits] ?? 0
    if (digits === 0) even = odd = 0
    let code = text.charCodeAt(i)
    while (isDigit(code) && i - start <= LENGTH_MAX) {
      const value = code - 0x30
      const doubled = value < 5 ? value * 2 : value * 2 - 9
      values[digits] = value
      const isEven = (digits & 1) === 0
      even += isEven ? doubled : value
      odd += isEven ? value : doubled
      digits++
      evenDoubled[digits] = even
      oddDoubled[digits] = odd
      code = text.charCodeAt(++i)
    }
    if (i - start > LENGTH_MAX) {
      while (isDigit(text.charCodeAt(i))) i++
      digits = first
      break
    }
    starts[groups] = start
    before[groups] = first
    dots[groups + 1] = (dots[groups] ?? 0) + (code === DOT ? 1 : 0)
    groups++
    if (!isSeparator(code) || !isDigit(text.charCodeAt(i + 1))) break
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
  const { groups, starts, before } = chain
  // The first group with which there are digits enough; it only moves on.
  let nearest = 0
  for (let group = 0; group < groups; group++) {
    const first = before[group] ?? 0
    if (chain.digits - first < LENGTH_MIN) return
    const lengths = lengthsOf(chain, first)
    if (lengths === 0) continue
    let found = -1
    while ((before[nearest + 1] ?? 0) - first < LENGTH_MIN) nearest++
    for (let last = nearest; last < groups; last++) {
      const end = before[last + 1] ?? 0
      const length = end - first
      if (length > LENGTH_MAX) break
      if ((lengths & (1 << length)) === 0 || !isLuhn(chain, first, end)) continue
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

// The digits that are doubled stand in every second place before the last.
function isLuhn({ evenDoubled, oddDoubled }: Chain, first: number, end: number): boolean {
  const sums = (end & 1) === 0 ? evenDoubled : oddDoubled
  return ((sums[end] ?? 0) - (sums[first] ?? 0)) % 10 === 0
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
function lengthsOf({ values }: Chain, first: number): number {
  const one = values[first] ?? 0
  const two = one * 10 + (values[first + 1] ?? 0)
  switch (one) {
    // Visa.
    case 4:
      return (1 << 13) | (1 << 16) | (1 << 19)
    // Mastercard's 2 series: 2221 to 2720.
    case 2: {
      const four = two * 100 + (values[first + 2] ?? 0) * 10 + (values[first + 3] ?? 0)
      return four >= 2221 && four <= 2720 ? 1 << 16 : 0
    }
    // American Express; Diners and JCB.
    case 3:
      if (two === 34 || two === 37) return 1 << 15
      return two === 30 || two === 35 || two === 36 || two >= 38 ? from(14) : 0
    // Mastercard; Maestro.
    case 5:
      if (two >= 51 && two <= 55) return 1 << 16
      return two === 50 || two >= 56 ? from(13) : 0
    // Maestro, Discover and UnionPay.
    case 6:
      return from(13)
    default:
      return 0
  }
}

/** A space, also one that does not break, a dash and a dot. */
const isSeparator = (code: number): boolean =>
  code === 0x20 || code === 0x2d || code === DOT || code === 0xa0

const DOT = 0x2e
const LENGTH_MIN = 13
const LENGTH_MAX = 19
const from = (length: number): number => (1 << (LENGTH_MAX + 1)) - (1 << length)
/** A longer chain is read in pieces, so that memory stays small. */
const CHAIN_DIGITS_MAX = 1_024
const CHAIN = newChain()
