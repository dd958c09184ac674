/** A part of a text, end excluded. */
export type Span = { readonly start: number; readonly end: number }

/**
 * Adds the hits that begin in a part of the codes of a text: a byte for each UTF-16 unit, 255 for all above 255. Indexes of
 * codes are those of the text.
 */
export type NumberDetector = (codes: Uint8Array, from: number, to: number, spans: Span[]) => void

/** Looks at a place with two letters and two digits. Adds its hits, and gives the index from which another may begin. */
export type AccountDetector = (codes: Uint8Array, start: number, spans: Span[]) => number

/** Looks at each place where one of its words may begin, by the first three characters, in capitals or not. It checks the word. */
export type WordDetector = {
  readonly words: readonly string[]
  /** Adds its hits there, and gives the index from which another may begin. */
  readonly at: (codes: Uint8Array, start: number, spans: Span[]) => number
}

/** True if a code is one of 0 to 9. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** True if so many digits stand at an index. */
export function areDigits(codes: Uint8Array, from: number, count: number): boolean {
  if (from + count > codes.length) return false
  for (let i = from; i < from + count; i++) if (!isDigit(codes[i] ?? 0)) return false
  return true
}
