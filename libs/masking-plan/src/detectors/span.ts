/** A part of a text, end excluded. */
export type Span = { readonly start: number; readonly end: number }

/** Finds what one detector looks for. */
export type Detector = (text: string) => Span[]

/** Where a global expression matches; the expression must not be able to go back far. */
export function spansOf(text: string, expression: RegExp): Span[] {
  const spans: Span[] = []
  for (const match of text.matchAll(expression)) {
    spans.push({ start: match.index, end: match.index + match[0].length })
  }
  return spans
}

/** Whether the text has at least so many digits; the cheap gate of the number detectors. */
export function hasDigits(text: string, count: number): boolean {
  let missing = count
  for (let i = 0; i < text.length; i++) {
    if (isDigit(text.charCodeAt(i)) && --missing === 0) return true
  }
  return false
}

/** Whether a char code is one of 0 to 9. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
