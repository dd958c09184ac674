import { type CatalogFile, type CatalogProblem } from './problem.ts'

/** The file without a byte order mark and with LF alone, so that the same words have the same version on every system. */
export const plain = ({ name, text }: CatalogFile): CatalogFile => ({
  name,
  text: text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n'),
})

/**
 * The mistake in the encoding of a file: a reader puts U+FFFD for bytes that are not UTF-8, and a name with it is another name.
 * Of UTF-16 every second character is NUL.
 */
export function encodingProblem({ name: file, text }: CatalogFile): CatalogProblem | null {
  if (text.includes('\0')) {
    const message = 'this is no text in UTF-8; it looks like UTF-16: save it as UTF-8'
    return { file, line: lineOf(text, '\0'), message }
  }
  if (!text.includes('\ufffd')) return null
  const message =
    'bytes here are not UTF-8 (or it is the character U+FFFD itself): save the file as UTF-8'
  return { file, line: lineOf(text, '\ufffd'), message }
}

const lineOf = (text: string, part: string): number =>
  text.slice(0, text.indexOf(part)).split('\n').length
