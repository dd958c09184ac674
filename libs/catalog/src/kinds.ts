import { z } from 'zod'
import type {
  CatalogMessage,
  MaskingMethod,
  Recording,
  StageMode,
  TlsMode,
} from '@countersign/contracts'
import {
  duration,
  durationOrNone,
  effectName,
  environment,
  groupName,
  methodName,
  name,
  roleName,
  schemaPattern,
} from './fields.ts'

/** A message that puts a definition in force. */
export type Defined = Exclude<CatalogMessage, { type: 'DefinitionRemoved' }>

/** A definition as a file gives it: its author and time are not known here. */
export type CatalogDefinition = Defined extends infer M
  ? M extends Defined
    ? Omit<M, 'author' | 'at' | 'signature'>
    : never
  : never

/** A definition before its version is computed. */
export type Unversioned = CatalogDefinition extends infer D
  ? D extends CatalogDefinition
    ? Omit<D, 'version'>
    : never
  : never

/** The `spec` of a connection profile: its target, roles and limits. */
export const connectionProfile = z.strictObject({
  environment,
  postgres: z.strictObject({
    host: z.string().regex(/^[A-Za-z0-9.:_-]+$/, 'a host name or address'),
    port: z.number().int().min(1).max(65_535),
    database: z.string().min(1).max(63),
    tls: z.enum(['verify-full', 'verify-ca', 'require']),
    adminSecret: z
      .string()
      .regex(/^file:[A-Za-z0-9._-]+$/, 'where the broker finds its credential: file:<name>'),
  }),
  roles: z.strictObject({
    base: z.array(roleName).min(1),
    owner: roleName.optional(),
    raised: z.partialRecord(effectName, z.array(roleName).min(1)).default({}),
  }),
  limits: z
    .strictObject({
      sessionMax: duration.optional(),
      rowsMax: z.number().int().min(1).optional(),
      holdInTransactionMax: durationOrNone.optional(),
      holdAfterWriteMax: durationOrNone.optional(),
      raisedIdleMax: duration.optional(),
      tokenExpiry: z.enum(['end-session', 'keep-session']).default('end-session'),
    })
    .prefault({}),
  record: z.enum(['full', 'statements']).default('full'),
  /** Lets base roles create without people; for development, see the README of the credential broker. */
  mayCreate: z.boolean().default(false),
  /** Search paths that a session may set besides that of the target: each is a schema, or several in their order. */
  searchPaths: z
    .array(z.union([schemaPattern, z.array(schemaPattern).min(1).max(20)]))
    .max(100)
    .default([]),
})

export const chain = z.strictObject({
  stages: z
    .array(
      z
        .strictObject({
          name,
          reviewers: name,
          mode: z.enum(['any', 'all', 'quorum']).default('any'),
          quorum: z.number().int().min(2).max(100).optional(),
          deadline: duration,
          distinctFrom: z
            .array(z.enum(['requester', 'behalfOf', 'earlierStages']))
            // By default one person is not enough for two stages; a chain where that is enough must say so.
            .default(['requester', 'behalfOf', 'earlierStages']),
        })
        .refine((stage) => (stage.mode === 'quorum') === (stage.quorum !== undefined), {
          message: 'quorum: give the number of people with mode quorum, and only there',
        }),
    )
    .min(1)
    .max(10),
  /** `held` holds COPY … FROM STDIN with its data, which reviewers then see; `unseen` holds it before they are sent. */
  copyData: z.enum(['unseen', 'held']).default('unseen'),
})

export const reviewers = z.strictObject({ environment, groups: z.array(groupName).min(1) })

export const policySet = z.strictObject({
  files: z.array(z.string().endsWith('.cedar', 'the name of a .cedar file')).min(1),
})

export const maskingRules = z.strictObject({
  environments: z.array(environment).default([]),
  /** The tags that rules may give and policies may name; without this list, those that the rules give. */
  tags: z.array(name).default([]),
  columns: z
    .array(
      z
        .strictObject({
          schema: pattern().optional(),
          table: pattern().optional(),
          column: pattern().optional(),
          tag: name,
          method: methodName,
          inference: z.enum(['allow', 'mask']).default('allow'),
        })
        .refine(
          (rule) => [rule.schema, rule.table, rule.column].some((part) => part !== undefined),
          {
            message: 'a rule needs a pattern for schema, table or column',
          },
        ),
    )
    .default([]),
  untagged: z.enum(['pass', 'redact']).default('pass'),
  tainted: methodName.default('redact'),
  detectors: z
    .array(
      z.strictObject({
        name: z.enum(['email', 'card', 'ssn', 'iban', 'phone', 'jwt', 'aws-key', 'api-key']),
        method: methodName,
      }),
    )
    .default([]),
  passwordLike: z.enum(['redact', 'partial', 'pseudonym', 'null', 'none']).default('redact'),
})

/** The kinds of the catalog, each with the schema of its `spec`. */
export const KINDS = {
  ConnectionProfile: connectionProfile,
  Chain: chain,
  Reviewers: reviewers,
  PolicySet: policySet,
  MaskingRules: maskingRules,
} as const

export type Kind = keyof typeof KINDS
export type Specs = { [K in Kind]: z.infer<(typeof KINDS)[K]> }

/** The kind that a message defines. */
export const kindOfType = (type: CatalogDefinition['type']): Kind => KIND_OF_TYPE[type]

export const isKind = (text: string): text is Kind => Object.hasOwn(KINDS, text)

/** The profile as its message carries it, without the version. */
export const profileOf = (profileName: string, spec: Specs['ConnectionProfile']) => ({
  name: profileName,
  environment: spec.environment,
  host: spec.postgres.host,
  port: spec.postgres.port,
  database: spec.postgres.database,
  tls: TLS[spec.postgres.tls],
  adminSecret: spec.postgres.adminSecret,
  baseRoles: spec.roles.base,
  ownerRole: spec.roles.owner ?? null,
  raised: Object.entries(spec.roles.raised)
    .map(([effect, roles]) => ({ effect, roles }))
    .sort((a, b) => (a.effect < b.effect ? -1 : 1)),
  sessionMaxMs: spec.limits.sessionMax ?? SESSION_MAX_MS,
  rowsMax: spec.limits.rowsMax ?? ROWS_MAX,
  holdInTransactionMaxMs: spec.limits.holdInTransactionMax ?? HOLD_IN_TRANSACTION_MAX_MS,
  holdAfterWriteMaxMs: spec.limits.holdAfterWriteMax ?? HOLD_AFTER_WRITE_MAX_MS,
  raisedIdleMaxMs: spec.limits.raisedIdleMax ?? RAISED_IDLE_MAX_MS,
  recording: RECORDINGS[spec.record],
  outlivesToken: spec.limits.tokenExpiry === 'keep-session',
  mayCreate: spec.mayCreate,
  searchPaths: spec.searchPaths.map((path) => (typeof path === 'string' ? [path] : path)),
})

export const stagesOf = (spec: Specs['Chain']) =>
  spec.stages.map((stage) => ({
    name: stage.name,
    reviewers: stage.reviewers,
    mode: MODES[stage.mode],
    quorum: stage.quorum ?? 1,
    deadlineMs: stage.deadline,
    distinctFrom: stage.distinctFrom,
  }))

export const rulesOf = (spec: Specs['MaskingRules']) => ({
  environments: spec.environments,
  tags: spec.tags,
  columns: spec.columns.map((rule) => ({
    schema: rule.schema ?? null,
    table: rule.table ?? null,
    column: rule.column ?? null,
    tag: rule.tag,
    method: METHODS[rule.method],
    masksInference: rule.inference === 'mask',
  })),
  untagged: spec.untagged === 'pass' ? ('Pass' as const) : ('Redact' as const),
  tainted: METHODS[spec.tainted],
  detectors: spec.detectors.map((rule) => ({ name: rule.name, method: METHODS[rule.method] })),
  passwordLike: spec.passwordLike === 'none' ? null : METHODS[spec.passwordLike],
})

function pattern() {
  return z.string().regex(/^[A-Za-z0-9_*]+$/, 'letters, digits, _ and * for anything')
}

const KIND_OF_TYPE = {
  ConnectionProfileDefined: 'ConnectionProfile',
  ChainDefined: 'Chain',
  ReviewersDefined: 'Reviewers',
  PolicySetDefined: 'PolicySet',
  MaskingRulesDefined: 'MaskingRules',
} as const satisfies Record<CatalogDefinition['type'], Kind>
const TLS = {
  'verify-full': 'VerifyFull',
  'verify-ca': 'VerifyCa',
  require: 'Require',
} as const satisfies Record<string, TlsMode>
const MODES = { any: 'Any', all: 'All', quorum: 'Quorum' } as const satisfies Record<
  string,
  StageMode
>
const RECORDINGS = {
  full: 'Full',
  statements: 'Statements',
} as const satisfies Record<string, Recording>
const METHODS = {
  redact: 'Redact',
  partial: 'Partial',
  pseudonym: 'Pseudonym',
  null: 'Null',
} as const satisfies Record<string, MaskingMethod>
const SESSION_MAX_MS = 8 * 3_600_000
const ROWS_MAX = 1_000_000
const HOLD_IN_TRANSACTION_MAX_MS = 60_000
const HOLD_AFTER_WRITE_MAX_MS = 30_000
const RAISED_IDLE_MAX_MS = 10_000
