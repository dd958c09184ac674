/** The parts that some detector cannot do without, and which of them a text has. */
export type Features = {
  readonly hasAt: boolean
  /** At least 8 digits, with at most two separators between one and the next: cards, telephone numbers and the like. */
  readonly hasNumber: boolean
  /** A word that begins with two letters and two digits, as bank account numbers do, among at least 8 digits. */
  readonly hasAccount: boolean
  /** At least 10 characters of keys and tokens in a row. */
  readonly hasRun: boolean
}

/** The features of a text. A long one has all of them: to look for them would take a copy of it. */
export const featuresOfText = (text: string): Features =>
  text.length > TOLD_CHARS_MAX ? ALL : featuresOfBytes(Buffer.from(text))

/**
 * The features of bytes of UTF-8, in one pass and without a string. In UTF-16 there are zeros between characters of ASCII,
 * so characters with zeros between them count as together, and as apart where that is more.
 */
export function featuresOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): Features {
  let hasAt = false
  let hasNumber = false
  let hasAccount = false
  let digits = 0
  // Digits of the number that is being read, and the separators behind the last of them.
  let number = 0
  let gap = 0
  let run = 0
  let longest = 0
  // The last five characters, two bits each, with zeros and without.
  let last = 0
  let lastWithout = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    const kind = KIND[byte] ?? 0
    last = ((last << 2) | (kind & ALNUM)) & LAST_FIVE
    if (byte === 0) continue
    lastWithout = ((lastWithout << 2) | (kind & ALNUM)) & LAST_FIVE
    if ((kind & KEY) !== 0) run++
    else {
      if (run > longest) longest = run
      run = 0
    }
    if ((kind & DIGIT) !== 0) {
      digits++
      gap = 0
      if (++number === DIGITS_MIN) hasNumber = true
      if (last === ACCOUNT_BEGINS || lastWithout === ACCOUNT_BEGINS) hasAccount = true
    } else if ((kind & SEPARATOR) === 0) {
      number = 0
      if (kind >= AT) hasAt = true
    } else if (++gap > GAP_MAX) number = 0
  }
  if (run > longest) longest = run
  return {
    hasAt,
    hasNumber,
    hasAccount: hasAccount && digits >= DIGITS_MIN,
    hasRun: longest >= RUN_MIN,
  }
}

export const hasAny = ({ hasAt, hasNumber, hasAccount, hasRun }: Features): boolean =>
  hasAt || hasNumber || hasAccount || hasRun

/** The places of the numbers that `hasNumber` tells of. A plus or a bracket before the first digit belongs to them. */
export function numbersIn(text: string): Span[] {
  const found: Span[] = []
  let start = 0
  let end = 0
  let digits = 0
  let gap = 0
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0
    const kind = code < 256 ? (KIND[code] ?? 0) : 0
    if ((kind & DIGIT) !== 0) {
      if (digits === 0) start = i
      digits++
      end = i + 1
      gap = 0
    } else if (digits > 0 && ((kind & SEPARATOR) === 0 || ++gap > GAP_MAX)) {
      if (digits >= DIGITS_MIN) found.push({ start: Math.max(0, start - 1), end })
      digits = gap = 0
    }
  }
  return found
}

type Span = { readonly start: number; readonly end: number }

/** The fewest digits of a telephone number. */
const DIGITS_MIN = 8
const GAP_MAX = 2
// -----BEGIN, the beginning of a private key, is the shortest run that any detector needs.
const RUN_MIN = 10

const TOLD_CHARS_MAX = 1024 * 1024
const ALL: Features = { hasAt: true, hasNumber: true, hasAccount: true, hasRun: true }

const LETTER = 1
const DIGIT = 2
const ALNUM = LETTER | DIGIT
const SEPARATOR = 4
/** A sign of keys and tokens. */
const KEY = 8
const AT = 16
const LAST_FIVE = 0b11_11_11_11_11
const ACCOUNT_BEGINS = 0b00_01_01_10_10
const KIND = new Uint8Array(256)
const mark = (chars: string, kind: number): void => {
  for (const char of chars) {
    const code = char.charCodeAt(0)
    KIND[code] = (KIND[code] ?? 0) | kind
  }
}
mark('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', LETTER | KEY)
mark('0123456789', DIGIT | KEY)
mark('+/_.=-', KEY)
mark('@', AT | KEY)
// The last two are a space that does not break, as it is in UTF-8 and by itself.
mark(' ().-/\u00c2\u00a0', SEPARATOR)
