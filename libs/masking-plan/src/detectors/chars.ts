/** The classes of codes that detectors look for; a look into a table is the fastest test that there is. */
export const ALNUM = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
export const WORD = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_')
/** base64url and the dots between the parts of a token. */
export const TOKEN = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.-')
export const CAPITAL = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ')
export const DASHED = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-')
export const DASHED_WORD = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-')
export const BASE64 = table('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/+')

/** The code at an index, 0 outside. A read that leaves the array would make the compiled loop slow for good. */
export const codeAt = (codes: Uint8Array, index: number): number =>
  index >= 0 && index < codes.length ? (codes[index] ?? 0) : 0

/** True if the code at an index is in the class; nothing outside ASCII and outside the text is. */
export const isIn = (table: Uint8Array, codes: Uint8Array, index: number): boolean =>
  table[codeAt(codes, index)] === 1

/** The end of the run of the class that starts at an index, but not further than so many characters. */
export function runEnd(
  table: Uint8Array,
  codes: Uint8Array,
  from: number,
  max = codes.length,
): number {
  const end = Math.min(codes.length, from + max)
  let i = from
  while (i < end && table[codes[i] ?? 0] === 1) i++
  return i
}

/** True if a word stands at an index. */
export function isAt(word: Uint8Array, codes: Uint8Array, index: number): boolean {
  if (index < 0 || index + word.length > codes.length) return false
  for (let i = 0; i < word.length; i++) if (codes[index + i] !== word[i]) return false
  return true
}

/** Like `isAt`, for a word in small letters that may stand there in capitals. */
export function isAtFolded(word: Uint8Array, codes: Uint8Array, index: number): boolean {
  if (index < 0 || index + word.length > codes.length) return false
  for (let i = 0; i < word.length; i++)
    if (((codes[index + i] ?? 0) | 0x20) !== word[i]) return false
  return true
}

/** Things by the first and the third code of their word, which tell them apart better than the first two. */
export function byFirstAndThird<T>(
  things: readonly T[],
  wordOf: (thing: T) => Uint8Array,
): (first: number, third: number) => readonly T[] {
  const groups: T[][] = new Array<T[]>(128 * 128).fill([])
  const indexOf = (first: number, third: number): number => ((first & 127) << 7) | (third & 127)
  for (const thing of things) {
    const [first = 0, , third = 0] = wordOf(thing)
    const index = indexOf(first, third)
    groups[index] = [...(groups[index] ?? []), thing]
  }
  return (first, third) => groups[indexOf(first, third)] ?? []
}

export function table(chars: string): Uint8Array {
  const found = new Uint8Array(256)
  for (const char of chars) found[char.charCodeAt(0)] = 1
  return found
}
