/** A file of the catalog folder. */
export type CatalogFile = { readonly name: string; readonly text: string }

/** What is wrong with a file, and where. */
export type CatalogProblem = {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** The line, from 1, of an offset in bytes of the UTF-8 text. */
export const lineAt = (text: string, byteOffset: number): number =>
  Buffer.from(text).subarray(0, byteOffset).toString('latin1').split('\n').length

/** A list of names for a message, and what to say where there are none. */
export const listed = (names: Iterable<string>): string => [...names].sort().join(', ') || 'none'
