import type { Answer, Policies } from './policy-set.ts'
import type { Question } from './question.ts'

/** The verdict of the policies on all questions of one request together. */
export type Verdict =
  | {
      readonly status: 'permitted'
      readonly rules: readonly string[]
      readonly answers: readonly Extract<Answer, { status: 'permitted' }>[]
    }
  | {
      readonly status: 'blocked'
      readonly rules: readonly string[]
      readonly reason: string
      readonly hint: string | null
    }

/**
 * Every question must be permitted; a forbid says more than a missing permit, so a forbid is named first. Yields before each
 * question.
 */
export function* verdictOn(
  questions: readonly Question[],
  policies: Policies,
): Generator<undefined, Verdict> {
  const rules: string[] = []
  const answers: Extract<Answer, { status: 'permitted' }>[] = []
  let unmatched: Question | null = null
  for (const question of questions) {
    yield
    const answer = policies.ask(question)
    switch (answer.status) {
      case 'forbidden':
        return { status: 'blocked', rules: answer.rules, reason: answer.reason, hint: null }
      case 'unmatched':
        unmatched ??= question
        break
      case 'permitted':
        rules.push(...answer.rules)
        answers.push(answer)
    }
  }
  if (unmatched === null) return { status: 'permitted', rules: [...new Set(rules)].sort(), answers }
  const { action, table, profile } = unmatched
  const on = table === null ? profile.name : [table.schema, table.name].filter(Boolean).join('.')
  return {
    status: 'blocked',
    rules: [],
    reason: `no policy permits ${action} on ${on}`,
    hint: HINTS[action] ?? null,
  }
}

const HINTS: Readonly<Record<string, string>> = {
  opaque:
    'It calls code whose effects cannot be seen beforehand; use plain statements and built-in functions.',
  write: 'Ask whoever keeps the catalog for a policy that permits it, with or without a review.',
  delete: 'Ask whoever keeps the catalog for a policy that permits it, with or without a review.',
  'schema-change':
    'Ask whoever keeps the catalog for a policy that permits it, with or without a review.',
}
