/** A part of a text, end excluded. */
export type Span = { readonly start: number; readonly end: number }

/** Finds the hits of one detector that begin within a part of the text. */
export type Detector = (text: string, from?: number, to?: number) => Span[]

/** True if a char code is one of 0 to 9. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
