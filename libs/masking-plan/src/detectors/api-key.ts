import { type Span, spansOf } from './span.ts'

/**
 * Keys that name their vendor: Stripe, OpenAI and Anthropic, GitHub, Slack, GitLab, Google, npm.
 * Method: the prefix and enough characters behind it. Limits: keys without a prefix are not found.
 */
export function apiKey(text: string): Span[] {
  return PREFIX.test(text) ? spansOf(text, KEY) : []
}

const PREFIX = /[sr]k_|sk-|gh[a-z]_|github_pat_|xox|glpat-|AIza|npm_/
const KEY = new RegExp(
  '(?<![A-Za-z0-9])(?:' +
    [
      '[sr]k_(?:live|test)_[A-Za-z0-9]{10,}',
      'sk-[A-Za-z0-9_-]{20,}',
      'gh[opusr]_[A-Za-z0-9]{20,}',
      'github_pat_[A-Za-z0-9_]{20,}',
      'xox[abeoprs]-[A-Za-z0-9-]{10,}',
      'glpat-[A-Za-z0-9_-]{16,}',
      'AIza[A-Za-z0-9_-]{30,}',
      'npm_[A-Za-z0-9]{30,}',
    ].join('|') +
    ')',
  'g',
)
