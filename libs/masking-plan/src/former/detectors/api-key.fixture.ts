import { ALNUM, DASHED, DASHED_WORD, isIn, runEnd, table, WORD } from './chars.fixture.ts'
import type { Span } from './span.fixture.ts'

/**
 * Keys that name their vendor: Stripe, OpenAI and Anthropic, GitHub, Slack, GitLab, Google, npm.
 * Method: the prefix and enough characters behind it. Limits: keys without a prefix are not found.
 */
export function apiKey(text: string, from = 0, to = text.length): Span[] {
  const spans: Span[] = []
  for (let i = from; i < to; i++) {
    if (!isIn(FIRST, text, i) || isIn(ALNUM, text, i - 1)) continue
    const kinds = BY_START.get(startOf(text, i))
    const end = kinds === undefined ? null : keyEnd(text, i, kinds)
    if (end === null) continue
    spans.push({ start: i, end })
    i = end - 1
  }
  return spans
}

function keyEnd(text: string, start: number, kinds: readonly Kind[]): number | null {
  for (const { prefix, chars, lengthMin } of kinds) {
    if (!text.startsWith(prefix, start)) continue
    const from = start + prefix.length
    // Most beginnings lead to no key: they are given up as soon as possible.
    if (runEnd(chars, text, from, lengthMin) - from === lengthMin) return runEnd(chars, text, from)
  }
  return null
}

type Kind = { readonly prefix: string; readonly chars: Uint8Array; readonly lengthMin: number }

const kind = (prefixes: string, chars: Uint8Array, lengthMin: number): Kind[] =>
  prefixes.split(' ').map((prefix) => ({ prefix, chars, lengthMin }))

const KINDS: readonly Kind[] = [
  ...kind('sk_live_ sk_test_ rk_live_ rk_test_', ALNUM, 10),
  ...kind('sk-', DASHED_WORD, 20),
  ...kind('gho_ ghp_ ghu_ ghs_ ghr_', ALNUM, 20),
  ...kind('github_pat_', WORD, 20),
  ...kind('xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-', DASHED, 10),
  ...kind('glpat-', DASHED_WORD, 16),
  ...kind('AIza', DASHED_WORD, 30),
  ...kind('npm_', ALNUM, 30),
]
export const PREFIXES: readonly string[] = KINDS.map(({ prefix }) => prefix)
/** The first three characters, which nearly tell the kind. */
const startOf = (text: string, i: number): number =>
  (text.charCodeAt(i) << 14) | (text.charCodeAt(i + 1) << 7) | text.charCodeAt(i + 2)
const BY_START = Map.groupBy(KINDS, ({ prefix }) => startOf(prefix, 0))
const FIRST = table(PREFIXES.map((prefix) => prefix.charAt(0)).join(''))
