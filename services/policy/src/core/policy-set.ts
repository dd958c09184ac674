import {
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs'
import {
  type Catalog,
  CEDAR_SCHEMA,
  cedarPolicies,
  type CedarPolicy,
  policyVersionOf,
} from '@countersign/catalog'
import { keepNewest, Problem, sha256 } from '@countersign/kernel'
import { cedarRequest, type Question } from './question.ts'

/** The answer of the policies to one question. */
export type Answer =
  | {
      readonly status: 'permitted'
      readonly rules: readonly string[]
      readonly permits: readonly Annotations[]
    }
  | { readonly status: 'forbidden'; readonly rules: readonly string[]; readonly reason: string }
  /** No policy permits it. */
  | { readonly status: 'unmatched' }

type Annotations = CedarPolicy['annotations']

/** All policy sets of the catalog, ready to be asked. */
export type Policies = {
  readonly version: string
  /** True if any policy reads the clock: then no decision covers later requests. */
  readonly readsTime: boolean
  ask(question: Question): Answer
}

/** Compiles the policies. Throws `CS_CATALOG_INVALID`: a policy that is left out may be a forbid. */
export function policiesOf(catalog: Catalog, answersMax: number = ANSWERS_MAX): Policies {
  const version = policyVersionOf(catalog)
  const policies = byId(catalog)
  const parsed = preparseSchema(SCHEMA, CEDAR_SCHEMA)
  const texts = Object.fromEntries([...policies].map(([id, { text }]) => [id, text]))
  const compiled = preparsePolicySet(version, { staticPolicies: texts })
  if (parsed.type === 'failure' || compiled.type === 'failure') {
    throw new Problem('CS_CATALOG_INVALID', 'the policies of the catalog do not compile')
  }
  // An answer depends on nothing but the question, so each is worked out only once.
  // bound: ANSWERS_MAX
  const answers = new Map<string, Answer>()
  return {
    version,
    readsTime: [...policies.values()].some(
      ({ text }) => /\bcontext\b/.test(text) && /\btime\b/.test(text),
    ),
    ask(question) {
      const key = sha256(JSON.stringify(question))
      const answer = answers.get(key) ?? asked(version, policies, question)
      // The answers that are asked for again and again outlive any number of others.
      answers.delete(key)
      answers.set(key, answer)
      keepNewest(answers, answersMax)
      return answer
    },
  }
}

function asked(
  version: string,
  policies: ReadonlyMap<string, CedarPolicy>,
  question: Question,
): Answer {
  const answer = statefulIsAuthorized({
    ...cedarRequest(question),
    preparsedPolicySetId: version,
    preparsedSchemaName: SCHEMA,
    validateRequest: true,
  })
  if (answer.type === 'failure') {
    const [error] = answer.errors
    return {
      status: 'forbidden',
      rules: [],
      reason: `the policies cannot be asked: ${error?.message ?? ''}`,
    }
  }
  const { decision, diagnostics } = answer.response
  // Cedar skips a policy that fails, even a forbid, and may answer allow.
  const [broken] = diagnostics.errors
  if (broken !== undefined) {
    const rules = diagnostics.errors.map(({ policyId }) => policyId)
    const reason = `policy ${broken.policyId} cannot be evaluated: ${broken.error.message}`
    return { status: 'forbidden', rules, reason }
  }
  const rules = [...diagnostics.reason].sort()
  const annotations = rules.map((rule) => policies.get(rule)?.annotations ?? {})
  if (decision === 'allow') return { status: 'permitted', rules, permits: annotations }
  if (rules.length === 0) return { status: 'unmatched' }
  const said = annotations.map((each) => each['reason']).find((reason) => reason !== undefined)
  return { status: 'forbidden', rules, reason: said ?? `policy ${rules.join(', ')} forbids it` }
}

function byId(catalog: Catalog): ReadonlyMap<string, CedarPolicy> {
  const found = new Map<string, CedarPolicy>()
  const sets = [...catalog.policySets.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const file of sets.flatMap((set) => set.files)) {
    const { policies, problems } = cedarPolicies(file)
    const [problem] = problems
    if (problem !== undefined) {
      throw new Problem(
        'CS_CATALOG_INVALID',
        `${problem.file}:${problem.line}: ${problem.message}`,
        {
          hint: 'Apply a corrected catalog with a console of this version.',
        },
      )
    }
    for (const policy of policies) {
      // Two sets may have files with the same name: the policies of both count.
      const id = found.has(policy.id) ? `${policy.id}#${found.size}` : policy.id
      found.set(id, policy)
    }
  }
  return found
}

const SCHEMA = 'countersign'
const ANSWERS_MAX = 20_000
