/** What a text has that some detector needs. */
export type Features = {
  readonly hasAt: boolean
  /** At least 8 digits, wherever they are. */
  readonly hasDigits: boolean
  /** At least 10 characters of keys and tokens in a row. */
  readonly hasRun: boolean
}

/** The features of a text, in one pass. */
export function featuresOfText(text: string): Features {
  let hasAt = false
  let digits = 0
  let run = 0
  let longest = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const kind = code < 128 ? (KIND[code] ?? 0) : 0
    if (kind === 0) {
      if (run > longest) longest = run
      run = 0
      continue
    }
    if (kind === AT) hasAt = true
    else if (kind === DIGIT) digits++
    run++
  }
  return { hasAt, hasDigits: digits >= DIGITS_MIN, hasRun: Math.max(run, longest) >= RUN_MIN }
}

/** The features of bytes of UTF-8, in one pass and without a string. */
export function featuresOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): Features {
  let hasAt = false
  let digits = 0
  let run = 0
  let longest = 0
  for (let i = start; i < end; i++) {
    const kind = KIND[bytes[i] ?? 0] ?? 0
    if (kind === 0) {
      if (run > longest) longest = run
      run = 0
      continue
    }
    if (kind === AT) hasAt = true
    else if (kind === DIGIT) digits++
    run++
  }
  return { hasAt, hasDigits: digits >= DIGITS_MIN, hasRun: Math.max(run, longest) >= RUN_MIN }
}

export const DIGITS_MIN = 8
// -----BEGIN, the beginning of a private key, is the shortest run that any detector needs.
export const RUN_MIN = 10
export const DIGIT = 1
export const AT = 2
const OTHER = 3
export const KIND = new Uint8Array(256)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/_.=-')
  KIND[char.charCodeAt(0)] = OTHER
for (const char of '0123456789') KIND[char.charCodeAt(0)] = DIGIT
KIND['@'.charCodeAt(0)] = AT
