export {
  applied,
  type Catalog,
  emptyCatalog,
  isCatalogMessage,
  maskingRulesFor,
  maskingRulesVersion,
  NO_RULES,
  policyVersionOf,
  resolvedChain,
} from './catalog.ts'
export { type CedarFile, cedarPolicies, type CedarPolicy } from './cedar-policies.ts'
export { ANNOTATIONS, CEDAR_SCHEMA } from './cedar-schema.ts'
export { type CatalogDefinition, kindOfType } from './kinds.ts'
export { definedBy, parseCatalog, type ParsedCatalog, type ParseOptions } from './parse-catalog.ts'
export type { CatalogFile, CatalogProblem } from './problem.ts'
export { definitionsOf } from './definitions-of.ts'
export { writtenCatalog, writtenDefinition } from './written.ts'
