import { recentlyUsed } from './cache.ts'
import { hasOneShape } from './keys.ts'
import { templateOf } from './template.ts'
import { eachToken, type TokenKind } from './lexer.ts'
import { decoded, latin1Of, LOOP_BYTES_MAX, parsed } from './parser.ts'

/**
 * The statement as the log may show it: every literal is `?` or `'?'`, comments are gone, all else stands.
 * Known limit: an identifier in double quotes stays, also when somebody hides a value in it.
 */
export function rendering(sql: Uint8Array | string): string {
  const template = templateOf(typeof sql === 'string' ? sql : latin1Of(sql))
  if (template === null || !hasOneShape(template)) return freshRendering(sql)
  const known = RENDERINGS.get(template.text)
  if (known !== undefined) return known
  const rendered = freshRendering(sql)
  RENDERINGS.set(template.text, rendered)
  return rendered
}

/** The rendering, made anew without the cache. */
export function freshRendering(sql: Uint8Array | string): string {
  const bytes = typeof sql === 'string' ? Buffer.from(sql) : Buffer.from(sql)
  const unparsed = `[unparsed statement, ${bytes.length} bytes]`
  const text = decoded(sql)
  if (!text.ok) return unparsed
  if (bytes.length > LOOP_BYTES_MAX) return `${masked(text.value.slice(0, LOOP_BYTES_MAX)).text} …`
  if (!parsed(text.value).ok) return unparsed
  const { text: shown, isWhole } = masked(text.value)
  return isWhole ? shown : unparsed
}

/** The text without literals and comments, as far as it has whole tokens. */
function masked(text: string): { text: string; isWhole: boolean } {
  // bound: as long as one statement
  const parts: string[] = []
  let at = 0
  const isWhole = eachToken(text, (kind, start, end) => {
    parts.push(text.slice(at, start), SHOWN[kind] ?? text.slice(start, end))
    at = end
  })
  return { text: parts.join('').replace(/\s+/g, ' ').trim(), isWhole }
}

const RENDERINGS = recentlyUsed<string>(10_000, 16 * 1024 * 1024)
const SHOWN: Readonly<Partial<Record<TokenKind, string>>> = {
  comment: ' ',
  string: "'?'",
  number: '?',
}
