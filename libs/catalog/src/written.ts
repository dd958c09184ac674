import { stringify } from 'yaml'
import type { MaskingMethod, Profile } from '@countersign/contracts'
import type { Catalog } from './catalog.ts'
import { definitionsOf } from './definitions-of.ts'
import { type CatalogDefinition, kindOfType } from './kinds.ts'
import type { CatalogFile } from './problem.ts'

/** The whole catalog as files that `parseCatalog` reads as the same definitions. */
export function writtenCatalog(catalog: Catalog): readonly CatalogFile[] {
  const definitions = definitionsOf(catalog)
  const cedar = new Map<string, string>()
  const yaml = new Map<string, string[]>()
  for (const definition of definitions) {
    const { file, files } = filesOf(definition)
    for (const each of files) cedar.set(each.name, each.text)
    yaml.set(file, [...(yaml.get(file) ?? []), documentOf(definition)])
  }
  return [
    ...[...yaml].map(([name, documents]) => ({ name, text: documents.join('---\n') })),
    ...[...cedar].map(([name, text]) => ({ name, text })),
  ]
}

/** One definition as text for people: its document, and the Cedar files that it names. */
export function writtenDefinition(definition: CatalogDefinition): string {
  const { files } = filesOf(definition)
  return [documentOf(definition), ...files.map(({ name, text }) => `\n# ${name}\n${text}`)].join('')
}

/** The files of a definition. A policy set stands in the folder of its Cedar files, since it names them from there. */
function filesOf(definition: CatalogDefinition): { file: string; files: readonly CatalogFile[] } {
  if (definition.type !== 'PolicySetDefined') return { file: FILES[definition.type], files: [] }
  const folder = definition.files[0]?.name.replace(/[^/]*$/, '') ?? ''
  return { file: `${folder}${FILES.PolicySetDefined}`, files: definition.files }
}

const documentOf = (definition: CatalogDefinition): string =>
  stringify(
    {
      apiVersion: 'countersign/v1',
      kind: kindOfType(definition.type),
      metadata: { name: definition.name },
      spec: specOf(definition),
    },
    { lineWidth: 0 },
  )

function specOf(definition: CatalogDefinition): object {
  switch (definition.type) {
    case 'ConnectionProfileDefined':
      return profileSpec(definition.profile)
    case 'ReviewersDefined':
      return { environment: definition.environment, groups: definition.groups }
    case 'ChainDefined':
      return {
        stages: definition.stages.map(
          ({ name, reviewers, mode, quorum, deadlineMs, distinctFrom, ...rest }) => ({
            name,
            reviewers,
            mode: mode.toLowerCase(),
            ...(mode === 'Quorum' ? { quorum } : {}),
            deadline: durationOf(deadlineMs),
            distinctFrom,
            ...nothingElse(rest),
          }),
        ),
        ...(definition.holdsCopyData ? { copyData: 'held' } : {}),
      }
    case 'MaskingRulesDefined':
      return {
        environments: definition.environments,
        ...(definition.tags.length === 0 ? {} : { tags: definition.tags }),
        columns: definition.columns.map(
          ({ schema, table, column, tag, method, masksInference, ...rest }) => ({
            ...(schema === null ? {} : { schema }),
            ...(table === null ? {} : { table }),
            ...(column === null ? {} : { column }),
            tag,
            method: methodOf(method),
            ...(masksInference ? { inference: 'mask' } : {}),
            ...nothingElse(rest),
          }),
        ),
        untagged: definition.untagged.toLowerCase(),
        tainted: methodOf(definition.tainted),
        detectors: definition.detectors.map(({ name, method }) => ({
          name,
          method: methodOf(method),
        })),
        passwordLike: definition.passwordLike === null ? 'none' : methodOf(definition.passwordLike),
      }
    case 'PolicySetDefined':
      return { files: definition.files.map(({ name }) => name.replace(/^.*\//, '')) }
  }
}

/** Each field of a profile has its place in the file; the compiler says which is missing. */
function profileSpec(profile: Profile): object {
  const { name: _name, version: _version, environment, ...target } = profile
  const { host, port, database, tls, adminSecret, ...roles } = target
  const { baseRoles, ownerRole, raised, ...limits } = roles
  const {
    sessionMaxMs,
    rowsMax,
    holdInTransactionMaxMs,
    holdAfterWriteMaxMs,
    raisedIdleMaxMs,
    outlivesToken,
    mayCreate,
    searchPaths,
    recording,
    ...rest
  } = limits
  return {
    environment,
    postgres: { host, port, database, tls: TLS[tls], adminSecret },
    roles: {
      base: baseRoles,
      ...(ownerRole === null ? {} : { owner: ownerRole }),
      ...(raised.length === 0
        ? {}
        : { raised: Object.fromEntries(raised.map(({ effect, roles: lent }) => [effect, lent])) }),
    },
    limits: {
      sessionMax: durationOf(sessionMaxMs),
      rowsMax,
      holdInTransactionMax: durationOf(holdInTransactionMaxMs),
      holdAfterWriteMax: durationOf(holdAfterWriteMaxMs),
      raisedIdleMax: durationOf(raisedIdleMaxMs),
      tokenExpiry: outlivesToken ? 'keep-session' : 'end-session',
    },
    record: recording.toLowerCase(),
    ...(mayCreate ? { mayCreate } : {}),
    ...(searchPaths.length === 0 ? {} : { searchPaths }),
    ...nothingElse(rest),
  }
}

/** Does not compile where a field is not written above: it would be lost when the files are applied again. */
const nothingElse = (rest: Record<string, never>): Record<string, never> => rest

/** A duration in the longest unit that gives a whole number. */
function durationOf(ms: number): string {
  if (ms === 0) return '0s'
  const [unit, size] = UNITS.find(([, each]) => ms % each === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}

const methodOf = (method: MaskingMethod): string => method.toLowerCase()
const TLS = { VerifyFull: 'verify-full', VerifyCa: 'verify-ca', Require: 'require' } as const
const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
]
const FILES = {
  ConnectionProfileDefined: 'profiles.yaml',
  ReviewersDefined: 'chains.yaml',
  ChainDefined: 'chains.yaml',
  MaskingRulesDefined: 'masking.yaml',
  PolicySetDefined: 'policies.yaml',
} as const satisfies Record<CatalogDefinition['type'], string>
