import {
  ALNUM,
  byFirstAndThird,
  codeAt,
  DASHED,
  DASHED_WORD,
  isAt,
  isIn,
  runEnd,
  WORD,
} from './chars.ts'
import type { WordDetector } from './span.ts'

type Kind = {
  readonly name: string
  readonly prefix: Uint8Array
  readonly chars: Uint8Array
  readonly lengthMin: number
}

const kind = (prefixes: string, chars: Uint8Array, lengthMin: number): Kind[] =>
  prefixes.split(' ').map((name) => ({ name, prefix: Buffer.from(name), chars, lengthMin }))

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

/**
 * Keys that name their vendor: Stripe, OpenAI and Anthropic, GitHub, Slack, GitLab, Google, npm.
 * Method: the prefix and enough characters behind it. Limits: keys without a prefix are not found.
 */
export const apiKey: WordDetector = {
  words: KINDS.map(({ name }) => name),
  at(codes, start, spans) {
    if (isIn(ALNUM, codes, start - 1)) return start + 1
    const kinds = kindsOf(codeAt(codes, start), codeAt(codes, start + 2))
    for (const { prefix, chars, lengthMin } of kinds) {
      if (!isAt(prefix, codes, start)) continue
      const from = start + prefix.length
      // Most beginnings lead to no key: they are given up as soon as possible.
      if (runEnd(chars, codes, from, lengthMin) - from < lengthMin) continue
      const end = runEnd(chars, codes, from)
      spans.push({ start, end })
      return end
    }
    return start + 1
  },
}

const kindsOf = byFirstAndThird(KINDS, ({ prefix }) => prefix)
