import type { Span } from './span.fixture.ts'

/**
 * Private keys in PEM. Method: from the BEGIN line to the END line, or to the end of the text when
 * there is none. Limits: DER and keys without their header are not found.
 */
export function privateKey(text: string): Span[] {
  const spans: Span[] = []
  if (!text.includes('PRIVATE KEY')) return spans
  BEGIN.lastIndex = 0
  for (let begin = BEGIN.exec(text); begin !== null; begin = BEGIN.exec(text)) {
    END.lastIndex = BEGIN.lastIndex
    const end = END.exec(text) === null ? text.length : END.lastIndex
    spans.push({ start: begin.index, end })
    BEGIN.lastIndex = end
  }
  return spans
}

/** The index behind the line that ends a private key; null when it does not end in the text. */
export function privateKeyEnd(text: string): number | null {
  END.lastIndex = 0
  return END.exec(text) === null ? null : END.lastIndex
}

const BEGIN = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const END = /-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
