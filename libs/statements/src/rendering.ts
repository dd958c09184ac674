import libpgQuery from 'libpg-query'
import { recentlyUsed } from './cache.ts'
import { continued } from './continuation.ts'
import { hasOneShape } from './keys.ts'
import { templateOf } from './template.ts'
import { decoded, latin1Of, parsed } from './parser.ts'

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

/** The rendering by the scanner of the grammar. */
export function freshRendering(sql: Uint8Array | string): string {
  const bytes = typeof sql === 'string' ? Buffer.from(sql) : Buffer.from(sql)
  const unparsed = `[unparsed statement, ${bytes.length} bytes]`
  const text = decoded(sql)
  if (!text.ok || !parsed(text.value).ok) return unparsed
  if (text.value === '') return ''
  try {
    const whole = continued(text.value)
    return masked(Buffer.from(whole), libpgQuery.scanSync(whole).tokens)
  } catch {
    return unparsed
  }
}

type Token = { readonly start: number; readonly end: number; readonly tokenType: number }

function masked(bytes: Buffer, tokens: readonly Token[]): string {
  const parts: string[] = []
  let at = 0
  for (const { start, end, tokenType } of tokens) {
    const gap = bytes.toString('utf8', at, start)
    parts.push(/^\s*$/.test(gap) ? gap : ' ')
    parts.push(
      COMMENTS.has(tokenType)
        ? ' '
        : (LITERALS.get(tokenType) ?? bytes.toString('utf8', start, end)),
    )
    at = end
  }
  return parts.join('').replace(/\s+/g, ' ').trim()
}

const RENDERINGS = recentlyUsed<string>(10_000, 16 * 1024 * 1024)
/** Numbers of the tokens in the parser's own enumeration. */
const COMMENTS: ReadonlySet<number> = new Set([275, 276])
const LITERALS: ReadonlyMap<number, string> = new Map([
  [260, '?'], // FCONST
  [261, "'?'"], // SCONST
  [262, "'?'"], // USCONST
  [263, "'?'"], // BCONST
  [264, "'?'"], // XCONST
  [266, '?'], // ICONST
])
