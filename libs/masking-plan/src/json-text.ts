import { MASKED } from './method.ts'

/**
 * Masks inside a JSON document and leaves valid JSON. Method: strings and numbers on their own, so
 * that escapes hide nothing, then the whole text, so that a name can explain the value behind it.
 * Where the second leaves no valid JSON the document is masked whole. Null stands for NULL.
 */
export function maskedJson(text: string, mask: (text: string) => string | null): string | null {
  let isNull = false
  const inside = text.replace(TOKEN, (token) => {
    const value: unknown = JSON.parse(token)
    const plain = typeof value === 'string' ? value : token
    const masked = mask(plain)
    if (masked === null) isNull = true
    return masked === null || masked === plain ? token : JSON.stringify(masked)
  })
  if (isNull) return null
  const whole = mask(inside)
  if (whole === null || whole === inside) return whole
  return isJson(whole) ? whole : JSON.stringify(MASKED)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
