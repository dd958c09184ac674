/** The digits of a number on the wire, so that detectors can read it. */
export function numberText(
  type: 'int8' | 'numeric' | 'float8',
  cell: Buffer,
  isBinary: boolean,
): string {
  if (!isBinary) {
    const text = cell.toString('latin1')
    // 4.111111111111111e+15 is a card number too.
    return type === 'float8' ? wholeDigits(text) : text
  }
  switch (type) {
    case 'int8':
      return cell.readBigInt64BE(0).toString()
    case 'float8':
      return wholeDigits(String(cell.readDoubleBE(0)))
    case 'numeric':
      return numericText(cell)
  }
}

function wholeDigits(text: string): string {
  const value = Number(text)
  return Number.isSafeInteger(value) ? BigInt(value).toString() : text
}

// numeric_send: Int16 digits, weight, sign, scale; then the digits in base 10000. Only the part
// before the point counts here.
function numericText(cell: Buffer): string {
  const count = cell.readInt16BE(0)
  const weight = cell.readInt16BE(2)
  let text = ''
  for (let i = 0; i <= weight && i < GROUPS_MAX; i++) {
    const group = i < count ? cell.readInt16BE(8 + 2 * i) : 0
    text += String(group).padStart(text === '' ? 1 : 4, '0')
  }
  return text
}

// 19 digits are the longest card number.
const GROUPS_MAX = 6
