import type { MaskingRulesDefined, ReviewersDefined, StageDefinition } from '@countersign/contracts'
import { type Catalog, emptyCatalog } from './catalog.ts'
import { cedarPolicies, type CedarPolicy } from './cedar-policies.ts'
import { definitionsOf } from './definitions-of.ts'
import { didYouMean } from './did-you-mean.ts'
import { type CatalogDefinition, kindOfType } from './kinds.ts'
import { ambiguous, shadowed } from './masking-patterns.ts'
import type { Placed } from './parse-catalog.ts'
import { type CatalogProblem, listed } from './problem.ts'

/**
 * The mistakes between definitions, as they will be in force: names that are not defined, names that are defined twice,
 * reviewers of another environment, tags that are not declared. A definition that stays in force is checked too: it may not
 * lose what it refers to. A mistake that is only probable is a warning.
 */
export function crossChecked(
  placed: readonly Placed[],
  catalog: Catalog = emptyCatalog,
): { problems: CatalogProblem[]; warnings: CatalogProblem[] } {
  const sent = placed.map(({ definition }) => definition)
  const staying = definitionsOf(catalog).filter((each) => !sent.some((one) => isSame(one, each)))
  const known = knownNames([...staying, ...sent])
  return {
    problems: [
      ...twice(placed),
      ...sameIds(placed, catalog),
      ...placed.flatMap((each) => dangling(each, known)),
      ...sameEnvironments(placed, staying),
      ...abandoned(placed, { staying, before: definitionsOf(catalog) }),
    ],
    warnings: [
      ...placed.flatMap((each) =>
        each.definition.type === 'PolicySetDefined'
          ? each.definition.files.flatMap((file) => unanswerable(file, known))
          : each.definition.type === 'MaskingRulesDefined'
            ? shadowed(each.definition).map((message) => ({
                file: each.file,
                line: each.line,
                message,
              }))
            : creating(each),
      ),
      ...maskedWhole(placed, { staying, before: definitionsOf(catalog) }),
    ],
  }
}

/** Warns of `mayCreate`: base roles then create code without people; keep it to databases nobody depends on. */
function creating({ definition, file, line }: Placed): CatalogProblem[] {
  if (definition.type !== 'ConnectionProfileDefined' || !definition.profile.mayCreate) return []
  const { name, profile } = definition
  const message =
    `${name}: with mayCreate, sessions of ${profile.environment} create tables and code without people; ` +
    'an approved statement may come to run it. Keep it to development'
  return [{ file, line, message }]
}

/**
 * Warns of each environment that no masking rules are for: everything is masked there, numbers and counts too. Reported at the
 * sent profiles of the environment, else at the sent rules by which it loses its own.
 */
function maskedWhole(placed: readonly Placed[], { staying, before }: Standing): CatalogProblem[] {
  const all = [...staying, ...placed.map(({ definition }) => definition)]
  const covered = coveredBy(all)
  const earlier = coveredBy(before)
  if (covered.has(EVERYWHERE)) return []
  const profiles = all.flatMap((each) =>
    each.type === 'ConnectionProfileDefined' ? [each.profile] : [],
  )
  return [...Map.groupBy(profiles, ({ environment }) => environment)].flatMap(
    ([environment, of]): CatalogProblem[] => {
      if (covered.has(environment)) return []
      const isLost = earlier.has(environment) || earlier.has(EVERYWHERE)
      const place =
        placed.find(
          ({ definition }) =>
            definition.type === 'ConnectionProfileDefined' &&
            definition.profile.environment === environment,
        ) ??
        (isLost
          ? placed.find(({ definition }) => definition.type === 'MaskingRulesDefined')
          : undefined)
      if (place === undefined) return []
      const message =
        `no masking rules are for environment ${environment} (${listed(of.map(({ name }) => name))}), so everything is ` +
        `masked there, counts and numbers too; add MaskingRules with environments: [${environment}], or with none for everywhere; ` +
        `there are some for ${listed(covered)}`
      return [{ file: place.file, line: place.line, message }]
    },
  )
}

/** The environments that masking rules are for. */
const coveredBy = (definitions: readonly CatalogDefinition[]): ReadonlySet<string> =>
  new Set(
    definitions.flatMap((each) => {
      if (each.type !== 'MaskingRulesDefined') return []
      return each.environments.length === 0 ? [EVERYWHERE] : each.environments
    }),
  )

/** Stands for the environments of rules that name none; no environment has this name. */
const EVERYWHERE = '*'

type Standing = {
  /** The definitions in force that no sent one replaces. */
  readonly staying: readonly CatalogDefinition[]
  /** The definitions in force before. */
  readonly before: readonly CatalogDefinition[]
}

type Known = {
  readonly profiles: ReadonlySet<string>
  readonly raisedRoles: ReadonlySet<string>
  readonly environments: ReadonlySet<string>
  readonly chains: ReadonlyMap<string, { readonly stages: readonly StageDefinition[] }>
  readonly reviewers: ReadonlyMap<string, Pick<ReviewersDefined, 'environment'>>
  readonly tags: ReadonlySet<string>
}

function knownNames(definitions: readonly CatalogDefinition[]): Known {
  const profiles = new Set<string>()
  const raisedRoles = new Set<string>()
  const environments = new Set<string>()
  const chains = new Map<string, { readonly stages: readonly StageDefinition[] }>()
  const reviewers = new Map<string, Pick<ReviewersDefined, 'environment'>>()
  const tags = new Set<string>()
  for (const definition of definitions) {
    if (definition.type === 'ConnectionProfileDefined') {
      profiles.add(definition.name)
      environments.add(definition.profile.environment)
      for (const role of definition.profile.raised.flatMap(({ roles }) => roles))
        raisedRoles.add(role)
    }
    if (definition.type === 'ChainDefined') chains.set(definition.name, definition)
    if (definition.type === 'ReviewersDefined') reviewers.set(definition.name, definition)
    if (definition.type === 'MaskingRulesDefined')
      for (const tag of declaredTags(definition)) tags.add(tag)
  }
  return { profiles, raisedRoles, environments, chains, reviewers, tags }
}

/** The tags that rules declare: those of their list, or without a list those that their columns give. */
const declaredTags = ({ tags, columns }: Rules): readonly string[] =>
  tags.length > 0 ? tags : columns.map(({ tag }) => tag)

type Rules = Pick<MaskingRulesDefined, 'tags' | 'columns'>

const isSame = (one: CatalogDefinition, other: CatalogDefinition): boolean =>
  one.type === other.type && one.name === other.name

/**
 * The mistakes of definitions that stay in force and lose what they refer to, because a sent definition replaces it: each
 * is reported at the replacing definition. A mistake that was there before is not held against these files.
 */
function abandoned(placed: readonly Placed[], { staying, before }: Standing): CatalogProblem[] {
  const wrongWith = (definitions: readonly CatalogDefinition[]): Map<string, string> => {
    const known = knownNames(definitions)
    return new Map(
      staying.flatMap((definition) =>
        dangling({ definition, file: '', line: 1 }, known).map(({ message }): [string, string] => [
          // The list of known names differs before and after, so only the first part of a message is compared.
          `${definition.type}/${definition.name} ${message.split('; ')[0] ?? ''}`,
          `${kindOfType(definition.type)} ${definition.name} stays in force: ${message}`,
        ]),
      ),
    )
  }
  const sent = placed.map(({ definition }) => definition)
  const already = wrongWith(before)
  return [...wrongWith([...staying, ...sent])].flatMap(([key, message]) => {
    if (already.has(key)) return []
    // The sent definition that causes it: with its earlier version instead, the mistake is gone.
    const cause = placed.find(({ definition }) => {
      const earlier = before.find((each) => isSame(each, definition))
      if (earlier === undefined) return false
      const without = sent.map((each) => (each === definition ? earlier : each))
      return !wrongWith([...staying, ...without]).has(key)
    })
    const { file, line } = cause ?? placed[0] ?? { file: 'the catalog', line: 1 }
    return [{ file, line, message }]
  })
}

function twice(placed: readonly Placed[]): CatalogProblem[] {
  const first = new Map<string, Placed>()
  return placed.flatMap((each) => {
    const key = `${each.definition.type}/${each.definition.name}`
    const earlier = first.get(key)
    if (earlier === undefined) {
      first.set(key, each)
      return []
    }
    const message = `${each.definition.name} is defined twice; first at ${earlier.file}:${earlier.line}`
    return [{ file: each.file, line: each.line, message }]
  })
}

/** Decisions name the rules that made them, so each id must be of one policy; the sets that stay in force count too. */
function sameIds(placed: readonly Placed[], catalog?: Catalog): CatalogProblem[] {
  const sent = new Set(
    placed.flatMap(({ definition: { type, name } }) => (type === 'PolicySetDefined' ? name : [])),
  )
  const staying = [...(catalog?.policySets.values() ?? [])].filter(({ name }) => !sent.has(name))
  const first = new Map<string, string>(
    staying.flatMap(({ name, files }) =>
      files
        .flatMap((file) => cedarPolicies(file).policies)
        .map(({ id }) => [id, `the policy set ${name}, which stays in force`]),
    ),
  )
  return placed.flatMap(({ definition }) => {
    if (definition.type !== 'PolicySetDefined') return []
    return definition.files.flatMap((file) =>
      cedarPolicies(file).policies.flatMap(({ id, line }) => {
        const earlier = first.get(id)
        first.set(id, earlier ?? `${file.name}:${line}`)
        if (earlier === undefined) return []
        return [{ file: file.name, line, message: `the id ${id} is taken; see ${earlier}` }]
      }),
    )
  })
}

/** Of the masking rules for one environment, and of those for all, only one counts: the one that was applied first. */
function sameEnvironments(
  placed: readonly Placed[],
  staying: readonly CatalogDefinition[],
): CatalogProblem[] {
  const first = new Map<string, string>()
  const environmentsOf = (each: CatalogDefinition): readonly string[] => [...coveredBy([each])]
  for (const each of staying)
    for (const environment of environmentsOf(each)) first.set(environment, each.name)
  return placed.flatMap(({ definition, file, line }) =>
    environmentsOf(definition).flatMap((environment) => {
      const other = first.get(environment)
      first.set(environment, other ?? definition.name)
      // Two of one name are reported as such.
      if (other === undefined || other === definition.name) return []
      const where = environment === EVERYWHERE ? 'every environment' : `environment ${environment}`
      const message = `${definition.name}: the rules ${other} are for ${where} too; only one of them counts, so put all into one, or remove ${other} (--prune)`
      return [{ file, line, message }]
    }),
  )
}

function dangling({ definition, file, line }: Placed, known: Known): CatalogProblem[] {
  const problem = (message: string): CatalogProblem => ({
    file,
    line,
    message: `${definition.name}: ${message}`,
  })
  const unknownEnvironment = (name: string): CatalogProblem[] =>
    known.environments.has(name)
      ? []
      : [
          problem(
            `no connection profile is of environment ${name}; known: ${listed(known.environments)}${didYouMean(name, known.environments)}`,
          ),
        ]
  switch (definition.type) {
    case 'ConnectionProfileDefined':
      return []
    case 'ReviewersDefined':
      return unknownEnvironment(definition.environment)
    case 'MaskingRulesDefined':
      return [
        ...definition.environments.flatMap(unknownEnvironment),
        ...[...new Set(definition.columns.map(({ tag }) => tag))]
          .filter((tag) => !declaredTags(definition).includes(tag))
          .map((tag) =>
            problem(
              `the tag ${tag} is not declared; declared: ${listed(definition.tags)}${didYouMean(tag, definition.tags)}`,
            ),
          ),
        ...ambiguous(definition).map(problem),
      ]
    case 'ChainDefined': {
      const names = definition.stages.map((stage) => stage.name)
      const repeated = names.filter((name, index) => names.indexOf(name) !== index)
      return [
        ...repeated.map((name) => problem(`the stage ${name} is there twice`)),
        ...mixed(definition.stages, known).map(problem),
        ...definition.stages
          .filter((stage) => !known.reviewers.has(stage.reviewers))
          .map((stage) =>
            problem(
              `there are no reviewers ${stage.reviewers}; known: ${listed(known.reviewers.keys())}${didYouMean(stage.reviewers, known.reviewers.keys())}`,
            ),
          ),
      ]
    }
    case 'PolicySetDefined':
      return definition.files.flatMap((each) => policyReferences(each, known))
  }
}

/** Reviewers countersign in their own environment only, so no request could pass a chain whose stages have two. */
function mixed(stages: readonly StageDefinition[], known: Known): string[] {
  const environments = stages.flatMap(
    ({ reviewers }) => known.reviewers.get(reviewers)?.environment ?? [],
  )
  const different = [...new Set(environments)]
  return different.length < 2
    ? []
    : [`its stages have reviewers of ${listed(different)}; nobody could ever grant it`]
}

/** Warns of a policy whose head names no environment, while its chain can be granted in one environment only. */
function unanswerable(file: { name: string; text: string }, known: Known): CatalogProblem[] {
  return cedarPolicies(file).policies.flatMap(({ line, annotations, environment }) => {
    const name = annotations['review']
    if (name === undefined || environment !== null) return []
    const reviewers = known.chains.get(name)?.stages[0]?.reviewers ?? ''
    const theirs = known.reviewers.get(reviewers)?.environment
    const others = [...known.environments].filter((each) => each !== theirs)
    if (theirs === undefined || others.length === 0) return []
    const message = `@review("${name}"): its reviewers are of ${theirs}, and the head of the policy names no environment; a request in ${listed(others)} would be denied`
    return [{ file: file.name, line, message }]
  })
}

function policyReferences(file: { name: string; text: string }, known: Known): CatalogProblem[] {
  return cedarPolicies(file).policies.flatMap((policy) => {
    const { line, annotations, environment } = policy
    const problem = (message: string): CatalogProblem => ({ file: file.name, line, message })
    const unmatched = unmatchedNames(policy, known)
    if (unmatched.length > 0) return unmatched.map(problem)
    const name = annotations['review']
    if (name === undefined) return []
    const chain = known.chains.get(name)
    if (chain === undefined) {
      return [
        problem(
          `@review("${name}"): there is no such chain; known: ${listed(known.chains.keys())}${didYouMean(name, known.chains.keys())}`,
        ),
      ]
    }
    return chain.stages.flatMap((stage) => {
      const theirs = known.reviewers.get(stage.reviewers)?.environment
      if (environment === null || theirs === undefined || theirs === environment) return []
      return [
        problem(
          `@review("${name}"): stage ${stage.name} has reviewers of ${theirs}, but the policy is for ${environment}`,
        ),
      ]
    })
  })
}

/** The names and hours by which a policy, or a part of it, can never match. */
function unmatchedNames({ names, clockMistakes }: CedarPolicy, known: Known): readonly string[] {
  const unknown = (
    some: readonly string[],
    among: ReadonlySet<string>,
    [says, list]: readonly [string, string],
  ): string[] =>
    some
      .filter((name) => !among.has(name))
      .map((name) => `${says} ${name}; ${list}: ${listed(among)}${didYouMean(name, among)}`)
  return [
    ...unknown(names.tags, known.tags, ['no masking rules declare the tag', 'declared']),
    ...unknown(names.environments, known.environments, [
      'no connection profile is of environment',
      'known',
    ]),
    ...unknown(names.targets, known.profiles, ['there is no connection profile', 'known']),
    ...names.tables
      .filter((id) => !isTableOf(id, known))
      .map(
        (id) =>
          `Table::"${id}" is no table: say which one by resource.schema and resource.name, with resource is Countersign::Table`,
      ),
    ...unknown(names.raisedRoles, known.raisedRoles, [
      'no connection profile lends the role',
      'lent',
    ]),
    ...names.settings
      .filter((setting) => setting !== setting.toLowerCase())
      .map(
        (setting) =>
          `the setting ${setting} never matches: context.statement.settings has names in small letters; did you mean ${setting.toLowerCase()}?`,
      ),
    ...clockMistakes,
  ]
}

/** True for the identifier that policy gives a table: profile, schema and name as JSON. */
function isTableOf(id: string, { profiles }: Known): boolean {
  try {
    const parts: unknown = JSON.parse(id)
    if (!Array.isArray(parts) || parts.length !== 3 || JSON.stringify(parts) !== id) return false
    return parts.every((part) => typeof part === 'string') && profiles.has(String(parts[0]))
  } catch {
    return false
  }
}
