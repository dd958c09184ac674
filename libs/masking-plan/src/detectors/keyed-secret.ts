import type { Span } from './span.ts'

/**
 * Secrets behind a word that names them: api_key=…, "token": "…", Authorization: Bearer ….
 * Method: the word, a sign of assignment, and 16 to 512 characters that mix letters and digits and
 * repeat few of them. Limits: shorter secrets, those of letters alone, and words in other languages
 * than English are not found; an identifier behind such a word is taken for a secret.
 */
export function keyedSecret(text: string): Span[] {
  const spans: Span[] = []
  for (const match of text.matchAll(KEYED)) {
    const value = match[1] ?? ''
    const end = match.index + match[0].length
    if (isRandom(value)) spans.push({ start: end - value.length, end })
  }
  return spans
}

function isRandom(value: string): boolean {
  if (!/\d/.test(value) || !/[A-Za-z]/.test(value)) return false
  const counts = new Map<string, number>()
  for (const char of value) counts.set(char, (counts.get(char) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values())
    bits -= (count / value.length) * Math.log2(count / value.length)
  return bits >= BITS_MIN
}

const KEYED =
  /(?:key|secret|token|passwo?r?d|pwd|bearer|credential)s?\\?["']?[ \t]{0,4}(?:[=:]{1,2}>?|[ \t])[ \t]{0,4}\\?["']?([A-Za-z0-9+/_.~=-]{16,512})/gi
// Random hex has 4 bits a character; 16 characters of it about 3.
const BITS_MIN = 2.8
