// Generated from schemas/catalog by libs/contracts/generate.ts; do not edit.
import type { Instant } from '@countersign/kernel'
import type { ColumnRule, DetectorRule, MaskingMethod, PolicyFile, Profile, StageMode } from './common.ts'

/** A chain is in force. */
export type ChainDefined = {
  readonly type: 'ChainDefined'
  /** The name; kind and name are the key of the record. */
  readonly name: string
  /** SHA-256 of the definition. */
  readonly version: string
  /** When it was applied. */
  readonly at: Instant
  /** Who applied it. */
  readonly author: string
  /** The signature of the author; comes with the identity issue. */
  readonly signature: string | null
  /** The stages, in order. */
  readonly stages: readonly StageDefinition[]
  /** COPY FROM STDIN is held with its data, so that people see and approve them. */
  readonly holdsCopyData: boolean
}

/** A connection profile is in force. */
export type ConnectionProfileDefined = {
  readonly type: 'ConnectionProfileDefined'
  /** The name; kind and name are the key of the record. */
  readonly name: string
  /** SHA-256 of the definition. */
  readonly version: string
  /** When it was applied. */
  readonly at: Instant
  /** Who applied it. */
  readonly author: string
  /** The signature of the author; comes with the identity issue. */
  readonly signature: string | null
  /** The profile. */
  readonly profile: Profile
}

/** A definition is no longer in force. It stands under the key that its definition had. */
export type DefinitionRemoved = {
  readonly type: 'DefinitionRemoved'
  /** What it was. */
  readonly kind: 'ConnectionProfile' | 'Chain' | 'Reviewers' | 'PolicySet' | 'MaskingRules'
  /** The name; kind and name are the key of the record. */
  readonly name: string
  /** The version that was in force: SHA-256 of the definition. */
  readonly version: string
  /** When it was removed. */
  readonly at: Instant
  /** Who removed it. */
  readonly author: string
  /** The signature of the author; comes with the identity issue. */
  readonly signature: string | null
}

/** Masking rules are in force for an environment. */
export type MaskingRulesDefined = {
  readonly type: 'MaskingRulesDefined'
  /** The name; kind and name are the key of the record. */
  readonly name: string
  /** SHA-256 of the definition. */
  readonly version: string
  /** When it was applied. */
  readonly at: Instant
  /** Who applied it. */
  readonly author: string
  /** The signature of the author; comes with the identity issue. */
  readonly signature: string | null
  /** The environments; empty stands for all. */
  readonly environments: readonly string[]
  /** Rules that tag columns; the first match counts. */
  readonly columns: readonly ColumnRule[]
  /** What happens to columns without a tag. */
  readonly untagged: 'Pass' | 'Redact'
  /** How computed columns of a tainted statement are masked. */
  readonly tainted: MaskingMethod
  /** The content detectors. */
  readonly detectors: readonly DetectorRule[]
  /** How columns with password-like names are masked. */
  readonly passwordLike: MaskingMethod | null
  /** The tags that rules may give and policies may ask for; empty stands for those that the rules give. */
  readonly tags: readonly string[]
}

/** A policy set is in force; all sets together are the policy. */
export type PolicySetDefined = {
  readonly type: 'PolicySetDefined'
  /** The name; kind and name are the key of the record. */
  readonly name: string
  /** SHA-256 of the definition. */
  readonly version: string
  /** When it was applied. */
  readonly at: Instant
  /** Who applied it. */
  readonly author: string
  /** The signature of the author; comes with the identity issue. */
  readonly signature: string | null
  /** The Cedar files. */
  readonly files: readonly PolicyFile[]
}

/** Who may countersign in an environment. */
export type ReviewersDefined = {
  readonly type: 'ReviewersDefined'
  /** The name; kind and name are the key of the record. */
  readonly name: string
  /** SHA-256 of the definition. */
  readonly version: string
  /** When it was applied. */
  readonly at: Instant
  /** Who applied it. */
  readonly author: string
  /** The signature of the author; comes with the identity issue. */
  readonly signature: string | null
  /** The environment that they review. */
  readonly environment: string
  /** The groups whose members may countersign. */
  readonly groups: readonly string[]
}

/** One stage, with its reviewers by name. */
export type StageDefinition = {
  /** The name of the stage. */
  readonly name: string
  /** The name of the Reviewers entry. */
  readonly reviewers: string
  /** How many must countersign. */
  readonly mode: StageMode
  /** How many distinct people; 1 for Any. */
  readonly quorum: number
  /** How long it may take, in milliseconds. */
  readonly deadlineMs: number
  /** Who may not countersign. */
  readonly distinctFrom: readonly string[]
}

/** Everything that may stand in the topic `catalog`. */
export type CatalogMessage =
  | ChainDefined
  | ConnectionProfileDefined
  | DefinitionRemoved
  | MaskingRulesDefined
  | PolicySetDefined
  | ReviewersDefined
