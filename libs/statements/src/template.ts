/** A statement without its plain literals, and the same statement with other literals in their places. */
export type Template = {
  readonly text: string
  readonly probes: readonly string[]
}

/**
 * The text that statements have in common when they differ only in plain literals, without parsing: a hot statement
 * comes with other values each time, and the real grammar costs more than everything else that is done for it.
 * Method: words, short whole numbers, decimals, plain strings and simple punctuation; all else gives null, and so does
 * whatever could make PostgreSQL read on: comments, backslashes, dollars but for parameters, prefixed strings, quoted
 * names, anything beyond ASCII. Limit: it does not say whether the values count; the keys of the probes tell that.
 */
export function templateOf(statement: string): Template | null {
  if (last?.statement !== statement) last = { statement, template: scanned(statement) }
  return last.template
}

let last: { readonly statement: string; readonly template: Template | null } | null = null

function scanned(statement: string): Template | null {
  if (statement.length > STATEMENT_CHARACTERS_MAX) return null
  if (statement.includes('--') || statement.includes('/*')) return null
  let text = ''
  const probes = ['', '']
  let from = 0
  TOKEN.lastIndex = 0
  for (;;) {
    const at = TOKEN.lastIndex
    if (at === statement.length) break
    const token = TOKEN.exec(statement)
    if (token === null) return null
    const number = token[1]
    const string = token[2]
    if (number === undefined && string === undefined) continue
    // A token that begins or ends right beside a word, a number or a quote is another kind of literal.
    if (BESIDE.test(statement.charAt(at - 1)) || BESIDE.test(statement.charAt(TOKEN.lastIndex)))
      return null
    const before = statement.slice(from, at)
    from = TOKEN.lastIndex
    const blank = string !== undefined ? "''" : number?.includes('.') === true ? '0.0' : '0'
    const others = OTHERS[blank]
    text += before + blank
    // Each literal is another one in every probe.
    probes[0] += before + (others[0] === token[0] ? others[2] : others[0])
    probes[1] += before + (others[1] === token[0] ? others[2] : others[1])
  }
  const rest = statement.slice(from)
  return { text: text + rest, probes: probes.map((probe) => probe + rest) }
}

/** Other literals of each kind: a small and a large one, since the grammar has limits, as in float(53); and a spare. */
const OTHERS = {
  "''": ["'a'", `'${'b'.repeat(100)}'`, "'c'"],
  '0.0': ['1.5', '99999.5', '2.5'],
  '0': ['1', '99999', '2'],
} as const

/** A number that is whole has at most nine digits: more may be of another type. */
const TOKEN =
  /[A-Za-z_][A-Za-z0-9_]*|\$[0-9]+|([0-9]{1,9}(?:\.[0-9]{1,9})?)|'((?:[\t\n\r -&(-[\]-~]|'')*)'|[ \t\n\r,.()*=<>+/;:|-]/y
const BESIDE = /[A-Za-z0-9_$.']/
const STATEMENT_CHARACTERS_MAX = 8 * 1024
