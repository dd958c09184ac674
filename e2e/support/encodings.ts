/**
 * Searches bytes for a value and names the encoding in which it is there, or null. It knows the encodings that somebody
 * could have used by accident: UTF-8, UTF-16, hex in either case, and base64 in both alphabets, wherever the value begins in
 * the encoded text, also broken into lines.
 */
export function findsIn(bytes: Buffer): (value: string) => string | null {
  const text = bytes.toString('latin1')
  const haystacks = {
    plain: text,
    unbroken: text.replaceAll(/\\n|[\r\n]/g, ''),
    lower: text.toLowerCase(),
  }
  return (value) =>
    encodingsOf(value).find(({ needle, within }) => haystacks[within].includes(needle))?.name ??
    null
}

type Encoding = { name: string; needle: string; within: 'plain' | 'unbroken' | 'lower' }

function encodingsOf(value: string): Encoding[] {
  const utf8 = Buffer.from(value)
  const utf16 = Buffer.from(value, 'utf16le')
  const plain = (name: string, bytes: Buffer): Encoding => ({
    name,
    needle: bytes.toString('latin1'),
    within: 'plain',
  })
  return [
    plain('UTF-8', utf8),
    plain('UTF-16LE', utf16),
    plain('UTF-16BE', Buffer.from(utf16).swap16()),
    { name: 'hex', needle: utf8.toString('hex'), within: 'lower' },
    ...[0, 1, 2].flatMap((shift): Encoding[] => {
      const needle = base64At(utf8, shift)
      const urlNeedle = needle.replaceAll('+', '-').replaceAll('/', '_')
      return [
        { name: `base64, shifted by ${shift}`, needle, within: 'unbroken' },
        { name: `base64url, shifted by ${shift}`, needle: urlNeedle, within: 'unbroken' },
      ]
    }),
  ]
}

/** The base64 characters of a value that do not depend on the bytes before and behind it; `shift` bytes stand before it. */
function base64At(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
  return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6))
}
