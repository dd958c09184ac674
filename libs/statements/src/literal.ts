/** A string literal that no setting of the session can change the meaning of. */
export const literal = (text: string): string =>
  `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
