/**
 * Text that others wrote, safe for a terminal: characters that move the cursor, change colours, turn the direction
 * of writing or are not seen at all are shown as escapes. An agent must not be able to draw what a reviewer sees.
 */
export const printable = (text: string): string => text.replace(DANGEROUS, escaped)

/** The same on one line. */
export const oneLine = (text: string): string => printable(text.replace(/\s+/g, ' ').trim())

/** JSON of a value that is safe for a terminal too: the same characters are escaped, as JSON does it. */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(DANGEROUS, (found) =>
    found.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )

function escaped(found: string): string {
  const digits = (found.codePointAt(0) ?? 0).toString(16)
  return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits.padStart(4, '0')}`
}

// Controls without tab and line feed, marks of formatting and direction, separators of lines, halves of pairs, and
// everything that Unicode says is drawn as nothing.
const DANGEROUS = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
