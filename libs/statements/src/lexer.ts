/** The kinds of token, as far as limits and renderings need to tell them apart. */
export type TokenKind =
  'comment' | 'word' | 'name' | 'string' | 'number' | 'parameter' | 'operator' | 'sign'

/** Told of each token in order: its kind, where it starts and where it ends, in characters. */
export type OnToken = (kind: TokenKind, start: number, end: number) => void

/** Told of a comment between the parts of one literal, which is part of the literal's token. */
type OnGap = (start: number, end: number) => void

/**
 * Splits a text into tokens as the lexer of PostgreSQL does with `standard_conforming_strings` on, in one pass:
 *
 *   comment := '--' to the end of the line | slash star … star slash, nested
 *   string  := [u&] "'" {any | "''"} "'" | (b|x) "'" {any} "'" | e "'" {any | "''" | '\' any} "'", each continued behind a line feed | $tag$ … $tag$
 *   name    := [u&] '"' {any | '""'} '"'         word := letter {letter | digit | '$'}
 *   number  := digits with '_', '.', an exponent, or 0x, 0o, 0b       parameter := '$' digits
 *
 * False when the text ends inside a token; the tokens before it were told, and so is a comment that never ends.
 */
export function eachToken(text: string, onToken: OnToken, onGap: OnGap = ignored): boolean {
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (isSpace(code)) {
      at++
      continue
    }
    const start = at
    const next = text.charCodeAt(at + 1)
    if (code === DASH && next === DASH) {
      at = lineEnd(text, at)
      onToken('comment', start, at)
    } else if (code === SLASH && next === STAR) {
      at = commentEnd(text, at)
      onToken('comment', start, at < 0 ? text.length : at)
      if (at < 0) return false
    } else if (code === QUOTE) {
      at = stringEnd(text, at + 1, code, onGap)
      if (at < 0) return false
      onToken('string', start, at)
    } else if (code === DOUBLE_QUOTE) {
      at = nameEnd(text, at + 1)
      if (at < 0) return false
      onToken('name', start, at)
    } else if (code === DOLLAR) {
      at = dollarEnd(text, at)
      if (at < 0) return false
      onToken(at === start + 1 ? 'sign' : isDigit(next) ? 'parameter' : 'string', start, at)
    } else if (isLetter(code)) {
      const prefix = prefixLength(text, at, code)
      if (prefix === 0) {
        at = wordEnd(text, at + 1)
        onToken('word', start, at)
      } else if (text.charCodeAt(at + prefix) === QUOTE) {
        at = stringEnd(text, at + prefix + 1, code, onGap)
        if (at < 0) return false
        onToken('string', start, at)
      } else {
        at = nameEnd(text, at + prefix + 1)
        if (at < 0) return false
        onToken('name', start, at)
      }
    } else if (code === DOT && next === DOT) {
      at += 2
      onToken('sign', start, at)
    } else if (isDigit(code) || (code === DOT && isDigit(next))) {
      NUMBER.lastIndex = at
      at += NUMBER.exec(text)?.[0].length ?? 1
      onToken('number', start, at)
    } else if (isOperator(code)) {
      at = operatorEnd(text, at)
      onToken('operator', start, at)
    } else {
      at++
      onToken('sign', start, at)
    }
  }
  return true
}

const ignored = (): void => undefined

/** The end of the run of operator characters that begins here, comments or not. */
export function runEnd(text: string, start: number): number {
  let at = start
  while (isOperator(text.charCodeAt(at))) at++
  return at
}

function operatorEnd(text: string, start: number): number {
  let at = start + 1
  for (; isOperator(text.charCodeAt(at)); at++) {
    const code = text.charCodeAt(at)
    const next = text.charCodeAt(at + 1)
    if ((code === DASH && next === DASH) || (code === SLASH && next === STAR)) return at
  }
  return at
}

function lineEnd(text: string, start: number): number {
  let at = start
  while (at < text.length && !isLineEnd(text.charCodeAt(at))) at++
  return at
}

function commentEnd(text: string, start: number): number {
  let depth = 1
  for (let at = start + 2; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const next = text.charCodeAt(at + 1)
    if (code === STAR && next === SLASH) {
      at++
      if (--depth === 0) return at + 1
    } else if (code === SLASH && next === STAR) {
      at++
      depth++
    }
  }
  return -1
}

/** The place behind the quote that ends a literal of this first character, or -1; a literal of bits doubles no quote. */
function stringEnd(text: string, start: number, first: number, onGap: OnGap): number {
  const escapes = first === LOWER_E || first === UPPER_E
  const doubles = !BIT_PREFIXES.has(first)
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (escapes && code === BACKSLASH) at++
    else if (code === QUOTE) {
      if (doubles && text.charCodeAt(at + 1) === QUOTE) {
        at++
        continue
      }
      const continued = continuation(text, at + 1, onGap)
      if (continued < 0) return at + 1
      at = continued
    }
  }
  return -1
}

/** The place of the next quote of a literal that goes on behind a line feed; -1 when the literal ends here. */
function continuation(text: string, start: number, onGap: OnGap): number {
  let sawLineEnd = false
  const comments: [number, number][] = []
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isLineEnd(code)) sawLineEnd = true
    else if (code === QUOTE) {
      if (!sawLineEnd) return -1
      for (const [from, to] of comments) onGap(from, to)
      return at
    } else if (code === DASH && text.charCodeAt(at + 1) === DASH) {
      const end = lineEnd(text, at)
      comments.push([at, end])
      at = end - 1
    } else if (!isSpace(code)) return -1
  }
  return -1
}

function nameEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text.charCodeAt(at) !== DOUBLE_QUOTE) continue
    if (text.charCodeAt(at + 1) !== DOUBLE_QUOTE) return at + 1
    at++
  }
  return -1
}

/** The place behind a parameter, a literal in dollars (-1 when it never ends), or a dollar that is neither. */
function dollarEnd(text: string, start: number): number {
  let at = start + 1
  if (isDigit(text.charCodeAt(at))) {
    while (isDigit(text.charCodeAt(at))) at++
    return at
  }
  if (isLetter(text.charCodeAt(at)))
    while (isLetter(text.charCodeAt(at)) || isDigit(text.charCodeAt(at))) at++
  if (text.charCodeAt(at) !== DOLLAR) return start + 1
  const tag = text.slice(start, at + 1)
  const end = text.indexOf(tag, at + 1)
  return end < 0 ? -1 : end + tag.length
}

/** The number of characters before a quote that belong to the literal or name: e, b, x or u&. */
function prefixLength(text: string, at: number, code: number): number {
  const next = text.charCodeAt(at + 1)
  if (next === QUOTE) return STRING_PREFIXES.has(code) ? 1 : 0
  if (next !== AMPERSAND || (code !== LOWER_U && code !== UPPER_U)) return 0
  const quote = text.charCodeAt(at + 2)
  return quote === QUOTE || quote === DOUBLE_QUOTE ? 2 : 0
}

function wordEnd(text: string, start: number): number {
  let at = start
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isLetter(code) && !isDigit(code) && code !== DOLLAR) break
  }
  return at
}

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13)
const isLineEnd = (code: number): boolean => code === 10 || code === 13
const isDigit = (code: number): boolean => code >= 48 && code <= 57
const isLetter = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128

const codeOf = (character: string): number => character.charCodeAt(0)
const [DASH, SLASH, STAR, QUOTE, DOUBLE_QUOTE, BACKSLASH, DOLLAR, DOT, AMPERSAND] = [
  codeOf('-'),
  codeOf('/'),
  codeOf('*'),
  codeOf("'"),
  codeOf('"'),
  codeOf('\\'),
  codeOf('$'),
  codeOf('.'),
  codeOf('&'),
] as const
const [LOWER_E, UPPER_E, LOWER_U, UPPER_U] = [
  codeOf('e'),
  codeOf('E'),
  codeOf('u'),
  codeOf('U'),
] as const
const STRING_PREFIXES: ReadonlySet<number> = new Set([...'eEbBxX'].map(codeOf))
const BIT_PREFIXES: ReadonlySet<number> = new Set([...'bBxX'].map(codeOf))
const OPERATOR_CODES = new Uint8Array(128)
for (const character of '~!@#^&|`?+-*/%<>=') OPERATOR_CODES[codeOf(character)] = 1
const isOperator = (code: number): boolean => code < 128 && OPERATOR_CODES[code] === 1
const NUMBER =
  /0[xX](?:_?[0-9A-Fa-f])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:[0-9](?:_?[0-9])*)?\.[0-9](?:_?[0-9])*(?:[eE][+-]?[0-9](?:_?[0-9])*)?|[0-9](?:_?[0-9])*(?:\.(?!\.))?(?:[eE][+-]?[0-9](?:_?[0-9])*)?/y
