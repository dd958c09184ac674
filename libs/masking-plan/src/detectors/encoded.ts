import type { Span } from './span.ts'

/**
 * Runs of base64 or hex that hide something sensitive. Method: every run of at least 12 characters
 * is decoded, at each alignment, and the bytes are looked at; lines of base64 as PostgreSQL and MIME
 * break them count as one run. Limits: shorter runs, more than one level, other encodings, and hex
 * with separators are not found.
 */
export function encodedRuns<N>(
  text: string,
  hitIn: (bytes: Buffer) => N | null,
): (Span & { readonly name: N })[] {
  const found: (Span & { readonly name: N })[] = []
  for (let i = 0; i < text.length; i++) {
    if (!isCoded(text.charCodeAt(i))) continue
    const start = i
    i = runEnd(text, start)
    if (i - start < RUN_MIN) continue
    const name = hidden(text.slice(start, i), hitIn)
    if (name === null) continue
    while (text[i] === '=') i++
    found.push({ start, end: i, name })
  }
  return found
}

// A line break goes on with the run when the line before it is as long as base64 lines are.
function runEnd(text: string, start: number): number {
  let lineStart = start
  let i = start
  for (;;) {
    while (isCoded(text.charCodeAt(i))) i++
    const next = text.startsWith('\r\n', i) ? i + 2 : text[i] === '\n' ? i + 1 : i
    if (next === i || i - lineStart < LINE_MIN || !isCoded(text.charCodeAt(next))) return i
    lineStart = next
    i = next
  }
}

function hidden<N>(run: string, hitIn: (bytes: Buffer) => N | null): N | null {
  const joined = run.replace(/[\r\n]+/g, '')
  for (const hex of joined.match(HEX) ?? []) {
    for (const shift of [0, 1]) {
      const digits = hex.slice(shift)
      const hit = hitIn(Buffer.from(digits.slice(0, digits.length & ~1), 'hex'))
      if (hit !== null) return hit
    }
  }
  for (const shift of [0, 1, 2, 3]) {
    const hit = hitIn(Buffer.from(joined.slice(shift), 'base64'))
    if (hit !== null) return hit
  }
  return null
}

const isCoded = (code: number): boolean => code < 128 && CODED[code] === 1

const HEX = /[0-9a-fA-F]{12,}/g
const RUN_MIN = 12
const LINE_MIN = 60
const CODED = new Uint8Array(128)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-')
  CODED[char.charCodeAt(0)] = 1
