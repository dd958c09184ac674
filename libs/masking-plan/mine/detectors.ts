/** What the content of a value is searched for where no tag says what it is. */
export const DETECTORS = [
  'private-key',
  'jwt',
  'aws-key',
  'api-key',
  'email',
  'iban',
  'card',
  'ssn',
  'phone',
] as const

export type DetectorName = (typeof DETECTORS)[number]

/** Where in a text something was found; `end` is behind its last character. */
export type Hit = { readonly name: DetectorName; readonly start: number; readonly end: number }

export const isDetectorName = (name: string): name is DetectorName =>
  DETECTORS.some((known) => known === name)

/** Finds what these detectors look for, from left to right, without overlaps: the detector named first in `DETECTORS` wins. */
export function detect(text: string, names: readonly DetectorName[]): Hit[] {
  const hits: Hit[] = []
  const taken = (start: number, end: number): boolean =>
    hits.some((hit) => start < hit.end && hit.start < end)
  for (const name of DETECTORS) {
    if (!names.includes(name)) continue
    const detector = RULES[name]
    if (!detector.gate.test(text)) continue
    for (const match of text.matchAll(detector.pattern)) {
      const [found] = match
      const start = match.index
      if (taken(start, start + found.length) || !detector.confirm(found)) continue
      hits.push({ name, start, end: start + found.length })
    }
  }
  return hits.sort((a, b) => a.start - b.start)
}

type Rule = {
  /** A cheap test that most texts fail. */
  readonly gate: RegExp
  /** Where it may be. Each is linear: no repetition stands inside another over the same characters. */
  readonly pattern: RegExp
  /** Whether it is. */
  confirm(found: string): boolean
}

const always = (): boolean => true

/**
 * Purpose: personal data and secrets in columns that nobody tagged. Method: patterns, with check digits where the format
 * has them. Known limits, each exercised by a test: an e-mail address without a dot in its domain, a card number that is
 * spelled in words, a phone number of fewer than ten digits without a plus, a secret of a vendor that is not listed.
 */
const RULES: Readonly<Record<DetectorName, Rule>> = {
  'private-key': {
    gate: /-----BEGIN/,
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]{0,16384}?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g,
    confirm: always,
  },
  // RFC 7519: three base64url parts; the first is a JSON object, so it begins with eyJ.
  jwt: {
    gate: /eyJ/,
    pattern: /\beyJ[\w-]{8,4096}\.[\w-]{4,8192}\.[\w-]{0,2048}/g,
    confirm: always,
  },
  'aws-key': {
    gate: /AKIA|ASIA|aws_?secret/i,
    pattern:
      /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\baws_?secret[\w-]{0,20}["']?\s{0,4}[:=]\s{0,4}["']?[A-Za-z0-9/+]{40}/gi,
    confirm: always,
  },
  'api-key': {
    gate: /sk[-_]|pk_|rk_|gh[pousr]_|github_pat_|xox|glpat-|AIza|npm_|SG\./,
    pattern:
      /\b(?:[spr]k_(?:live|test)_[A-Za-z0-9]{10,200}|sk-[\w-]{20,200}|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}|xox[abprs]-[\w-]{10,200}|glpat-[\w-]{15,100}|AIza[\w-]{30,60}|npm_[A-Za-z0-9]{30,60}|SG\.[\w-]{16,64}\.[\w-]{16,64})/g,
    confirm: always,
  },
  email: {
    gate: /@/,
    pattern: /[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g,
    confirm: always,
  },
  // ISO 13616: country, two check digits, up to 30 characters; modulo 97 gives 1.
  iban: {
    gate: /[A-Z]{2}\d\d/,
    pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/g,
    confirm: hasIbanCheckDigits,
  },
  // ISO/IEC 7812: 13 to 19 digits with the check digit of Luhn.
  card: {
    gate: /\d{4}/,
    pattern: /(?<![\d.])[2-6](?:[ -]?\d){12,18}(?![\d.]\d|\d)/g,
    confirm: hasLuhnDigit,
  },
  ssn: {
    gate: /\d-\d\d-\d/,
    pattern: /(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\d-])/g,
    confirm: always,
  },
  phone: {
    gate: /\+\d|\d{3}[). -]/,
    pattern:
      /(?<![\w+.-])(?:\+\d(?:[ ().-]{0,2}\d){7,14}|\(\d{3}\) ?\d{3}[ .-]?\d{4}|\d{3}[-.]\d{3}[-.]\d{4})(?![\w-])/g,
    confirm: always,
  },
}

function hasLuhnDigit(found: string): boolean {
  let sum = 0
  let isSecond = false
  for (let at = found.length - 1; at >= 0; at--) {
    const digit = found.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) continue
    const doubled = isSecond ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
    isSecond = !isSecond
  }
  return sum % 10 === 0
}

function hasIbanCheckDigits(found: string): boolean {
  const text = found.replaceAll(' ', '')
  if (text.length < 15 || text.length > 34) return false
  let rest = 0
  for (const char of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(char, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}
