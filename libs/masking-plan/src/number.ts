/**
 * The integer that a binary int8 or numeric stands for, in decimal digits; empty when it is none.
 * numeric: count:int16 weight:int16 sign:int16 scale:int16 (digit:int16)*, digits in base 10,000.
 */
export function integerOf(value: Buffer): string {
  if (value.length === 8 && !isNumeric(value)) return value.readBigInt64BE().toString()
  return isNumeric(value) ? numericOf(value) : ''
}

// Eight bytes are an int8, or a numeric zero, which is no card either way.
function isNumeric(value: Buffer): boolean {
  return value.length > 8 && value.length === 8 + 2 * value.readUInt16BE(0)
}

function numericOf(value: Buffer): string {
  const count = value.readUInt16BE(0)
  const weight = value.readInt16BE(2)
  if (weight < 0 || weight > 8) return ''
  let digits = ''
  for (let i = 0; i <= weight; i++) {
    const digit = i < count ? value.readUInt16BE(8 + 2 * i) : 0
    digits += digit.toString().padStart(4, '0')
  }
  return digits.replace(/^0+/, '')
}
