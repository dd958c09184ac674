/** An SQL identifier. Throws for a name that PostgreSQL cannot hold: it would cut the name, and mean another one. */
export function identifier(name: string): string {
  const isTooLong = Buffer.byteLength(name) > NAME_BYTES_MAX
  if (name === '' || name.includes('\0') || isTooLong)
    throw new RangeError('not a name of PostgreSQL')
  return `"${name.replaceAll('"', '""')}"`
}

/** An SQL string, for statements that take no parameters. */
export function literal(text: string): string {
  if (text.includes('\0')) throw new RangeError('not a text of PostgreSQL')
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

const NAME_BYTES_MAX = 63
