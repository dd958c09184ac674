import { automaton, KINDS } from './automaton.ts'

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

/**
 * The features of bytes of UTF-8, in one pass and without a string. In UTF-16 there are zeros between characters of ASCII,
 * so characters with zeros between them count as together, and as apart where that is more.
 */
export function featuresOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): Features {
  const numbersNext = NUMBERS.next
  const runsNext = RUNS.next
  let number = 0
  let run = 0
  for (let i = start; i < end; i++) {
    const kind = KIND_OF[bytes[i] ?? 0] ?? OTHER
    number = numbersNext[number | kind] ?? 0
    run = runsNext[run | kind] ?? 0
  }
  const { hasAt, digits } = NUMBERS.states[number / KINDS] ?? NO_NUMBER
  const { length, account } = RUNS.states[run / KINDS] ?? NO_RUN
  return {
    hasAt,
    hasNumber: digits === DIGITS_MIN,
    hasAccount: account === ACCOUNT_BEGINS && hasDigits(bytes, start, end),
    hasRun: length === RUN_MIN,
  }
}

/** All features, for texts in which it would take too long to look for them. */
export const ALL_FEATURES: Features = {
  hasAt: true,
  hasNumber: true,
  hasAccount: true,
  hasRun: true,
}

export const hasAny = ({ hasAt, hasNumber, hasAccount, hasRun }: Features): boolean =>
  hasAt || hasNumber || hasAccount || hasRun

function hasDigits(bytes: Uint8Array, start: number, end: number): boolean {
  let digits = 0
  for (let i = start; i < end && digits < DIGITS_MIN; i++)
    if (KIND_OF[bytes[i] ?? 0] === DIGIT) digits++
  return digits === DIGITS_MIN
}

/** The fewest digits of a telephone number. */
export const DIGITS_MIN = 8
/** The most separators between two digits of a number. */
export const GAP_MAX = 2
// -----BEGIN, the beginning of a private key, is the shortest run that any detector needs.
const RUN_MIN = 10

const OTHER = 0
const ZERO = 1
const LETTER = 2
const DIGIT = 3
/** A sign of keys and tokens. */
const SIGN = 4
const SEPARATOR = 5
/** Both a separator and a sign of keys and tokens. */
const SEPARATING_SIGN = 6
const AT = 7
const KIND_OF = new Uint8Array(256)
const mark = (chars: string, kind: number): void => {
  for (const char of chars) KIND_OF[char.charCodeAt(0)] = kind
}
mark('\0', ZERO)
mark('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', LETTER)
mark('0123456789', DIGIT)
mark('+_=', SIGN)
mark('.-/', SEPARATING_SIGN)
// The last two are a space that does not break, as it is in UTF-8 and by itself.
mark(' ()\u00c2\u00a0', SEPARATOR)
mark('@', AT)

/** The digits of the number that is being read, until there are enough, and the separators behind the last of them. */
type InNumber = { readonly digits: number; readonly gap: number; readonly hasAt: boolean }
const NO_NUMBER: InNumber = { digits: 0, gap: 0, hasAt: false }
const NUMBERS = automaton(NO_NUMBER, (state, kind) => {
  if (kind === ZERO) return state
  const hasAt = state.hasAt || kind === AT
  if (state.digits === DIGITS_MIN) return { ...state, hasAt }
  if (kind === DIGIT) return { digits: state.digits + 1, gap: 0, hasAt }
  const isSeparator = kind === SEPARATOR || kind === SEPARATING_SIGN
  return isSeparator && state.digits > 0 && state.gap < GAP_MAX
    ? { ...state, gap: state.gap + 1 }
    : { digits: 0, gap: 0, hasAt }
})

/**
 * The length of the run that is being read, until it is long enough, and how far the beginning of an account number is read:
 * no letter nor digit, two letters, two digits. A zero divides characters in `account`, and is passed over in `withoutZeros`.
 */
type InRun = { readonly length: number; readonly account: number; readonly withoutZeros: number }
const ACCOUNT_BEGINS = 4
// Before a text stands neither a letter nor a digit.
const NO_RUN: InRun = { length: 0, account: 0, withoutZeros: 0 }
const RUNS = automaton(NO_RUN, ({ length, account, withoutZeros }, kind) => {
  const isRun = kind === LETTER || kind === DIGIT || kind === SIGN || kind >= SEPARATING_SIGN
  const one = afterward(account, kind)
  const other = kind === ZERO ? withoutZeros : afterward(withoutZeros, kind)
  const begins = one === ACCOUNT_BEGINS || other === ACCOUNT_BEGINS
  return {
    length: length === RUN_MIN || kind === ZERO ? length : isRun ? length + 1 : 0,
    account: begins ? ACCOUNT_BEGINS : one,
    withoutZeros: begins ? ACCOUNT_BEGINS : other,
  }
})

function afterward(account: number, kind: number): number {
  if (account === ACCOUNT_BEGINS) return account
  if (kind !== LETTER && kind !== DIGIT) return 0
  return account < 2 === (kind === LETTER) && account >= 0 ? account + 1 : -1
}
