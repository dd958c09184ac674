/** The classes of ASCII characters that detectors look for; a look into a table is the fastest test that there is. */
export const ALNUM = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
export const WORD = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_')
/** base64url and the dots between the parts of a token. */
export const TOKEN = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-')
export const CAPITAL = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ')
export const DASHED = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-')
export const DASHED_WORD = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-')
export const BASE64 = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/+')

/** True if the character at an index of the text is in the class; nothing outside ASCII and outside the text is. */
export function isIn(table: Uint8Array, text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code < 128 && table[code] === 1
}

/** The end of the run of the class that starts at an index, but not further than so many characters. */
export function runEnd(table: Uint8Array, text: string, from: number, max = text.length): number {
  const end = from + max
  let i = from
  while (i < end && isIn(table, text, i)) i++
  return i
}

/** Like `runEnd`, for indexes that mostly go up: what was read of a run is not read again for the next one within it. */
export function runsOf(table: Uint8Array, text: string): (from: number, max: number) => number {
  let start = 0
  let end = 0
  return (from, max) => {
    if (from < start || from > end) start = end = from
    while (end < from + max && isIn(table, text, end)) end++
    return Math.min(end, from + max)
  }
}

export function table(chars: string): Uint8Array {
  const found = new Uint8Array(128)
  for (const char of chars) found[char.charCodeAt(0)] = 1
  return found
}
