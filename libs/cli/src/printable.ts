/**
 * Text that others wrote, safe for a terminal: what would move the cursor, change colours or turn the direction
 * of writing is shown as what it is. An agent must not be able to draw what a reviewer sees.
 */
export const printable = (text: string): string =>
  text.replace(DANGEROUS, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The same on one line. */
export const oneLine = (text: string): string => printable(text.replace(/\s+/g, ' ').trim())

// C0 without tab and line feed, DEL and C1; zero-width characters; marks that change the direction of writing.
const DANGEROUS =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
