import {
  checkParsePolicySet,
  policySetTextToParts,
  policyToJson,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { ANNOTATIONS, CEDAR_SCHEMA } from './cedar-schema.ts'
import { namesIn, type PolicyNames } from './cedar-names.ts'
import { clockMistakes } from './cedar-time.ts'
import { type CatalogFile, type CatalogProblem, lineAt, listed } from './problem.ts'

/** One policy of a Cedar file. */
export type CedarPolicy = {
  /** Its @id, else its file and line: `prod.cedar:12`. */
  readonly id: string
  readonly text: string
  readonly line: number
  readonly effect: 'permit' | 'forbid'
  readonly annotations: Readonly<Record<string, string>>
  /** The environment that its resource is limited to; null when it is not limited by its head. */
  readonly environment: string | null
  readonly names: PolicyNames
  /** Its mistakes about hours and weekdays. */
  readonly clockMistakes: readonly string[]
}

export type CedarFile = {
  readonly policies: readonly CedarPolicy[]
  readonly problems: readonly CatalogProblem[]
}

/** The policies of a file, and every mistake in them. The same file is read only once. */
export function cedarPolicies(file: CatalogFile): CedarFile {
  const known = READ.get(file)
  if (known !== undefined) return known
  const read = readPolicies(file)
  READ.set(file, read)
  return read
}

const READ = new WeakMap<CatalogFile, CedarFile>()

function readPolicies(file: CatalogFile): CedarFile {
  const staticPolicies = file.text
  const problemOf = (error: DetailedError): CatalogProblem => ({
    file: file.name,
    line: lineAt(file.text, error.sourceLocations?.[0]?.start ?? 0),
    message: [error.message, error.sourceLocations?.[0]?.label, error.help]
      .filter(Boolean)
      .join('; '),
  })
  const parsed = checkParsePolicySet({ staticPolicies })
  const parts = policySetTextToParts(file.text)
  if (parts.type === 'failure') return { policies: [], problems: parts.errors.map(problemOf) }
  if (parts.policy_templates.length > 0) {
    const line = lineOf(file.text, parts.policy_templates[0] ?? '', 0)
    const message = 'a template (?principal, ?resource) is not supported; write the policy out'
    return { policies: [], problems: [{ file: file.name, line, message }] }
  }
  if (parsed.type === 'failure') return { policies: [], problems: parsed.errors.map(problemOf) }
  const policies = located(file, parts.policies)
  const checked = validate({ schema: CEDAR_SCHEMA, policies: { staticPolicies } })
  // A warning says that a policy can never apply: a rule that does nothing is not what its author meant.
  const invalid =
    checked.type === 'failure'
      ? checked.errors
      : [...checked.validationErrors, ...checked.validationWarnings].map(({ error }) => error)
  return {
    policies,
    problems: [...invalid.map(problemOf), ...policies.flatMap((p) => misannotated(file, p))],
  }
}

function located(file: CatalogFile, texts: readonly string[]): CedarPolicy[] {
  const next = new Map<string, number>()
  return texts
    .map((text) => {
      const start = file.text.indexOf(text, next.get(text) ?? 0)
      next.set(text, start + text.length)
      const json = jsonOf(text)
      const line = lineOf(file.text, text, start)
      const annotations = json.annotations ?? {}
      const id = annotations['id'] ?? `${file.name}:${line}`
      return {
        id,
        text,
        line,
        effect: json.effect,
        annotations,
        environment: environmentOf(json),
        names: namesIn(json),
        clockMistakes: clockMistakes(json.conditions),
        start,
      }
    })
    .sort((a, b) => a.start - b.start)
    .map(({ start: _start, ...policy }) => policy)
}

function misannotated(file: CatalogFile, policy: CedarPolicy): CatalogProblem[] {
  return Object.entries(policy.annotations).flatMap(([name, value]) => {
    const message = annotationProblem(policy.effect, name, value)
    return message === null ? [] : [{ file: file.name, line: policy.line, message }]
  })
}

/** A misspelt @review would permit without a review, so that every name and value is checked. */
function annotationProblem(
  effect: 'permit' | 'forbid',
  name: string,
  value: string,
): string | null {
  const annotation = ANNOTATIONS.get(name)
  if (annotation === undefined)
    return `unknown annotation @${name}; allowed: ${listed(ANNOTATIONS.keys())}`
  if (!annotation.on.includes(effect))
    return `@${name} says nothing on a ${effect}; it belongs on a permit`
  if (annotation.values === null) return value === '' ? `@${name} needs a text` : null
  return annotation.values.includes(value)
    ? null
    : `@${name}("${value}"); allowed: ${listed(annotation.values)}`
}

function environmentOf(json: PolicyJson): string | null {
  const { resource } = json
  const within = resource.op === 'is' ? resource.in : resource.op === 'in' ? resource : undefined
  if (within === undefined || !('entity' in within)) return null
  const entity = '__entity' in within.entity ? within.entity.__entity : within.entity
  return entity.type === 'Countersign::Environment' ? entity.id : null
}

function jsonOf(text: string): PolicyJson {
  const answer = policyToJson(text)
  if (answer.type === 'failure')
    throw new TypeError(`a part of a parsed policy set does not parse: ${text}`)
  return answer.json
}

const lineOf = (text: string, part: string, from: number): number =>
  text.slice(0, text.indexOf(part, from)).split('\n').length
