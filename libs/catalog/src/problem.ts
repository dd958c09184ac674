/** A file of the catalog folder. */
export type CatalogFile = { readonly name: string; readonly text: string }

/** A mistake in a file, and its line. */
export type CatalogProblem = {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** The line, from 1, of an offset in bytes of the UTF-8 text. */
export const lineAt = (text: string, byteOffset: number): number =>
  Buffer.from(text).subarray(0, byteOffset).toString('latin1').split('\n').length

/** The names as a sorted list for a message; `none` where there are none. */
export const listed = (names: Iterable<string>): string => [...names].sort().join(', ') || 'none'
