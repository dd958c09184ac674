export {
  type CatalogRelation,
  type CatalogRoutine,
  EMPTY_CATALOG,
  isSameDescription,
  type TargetCatalog,
  type TargetDescription,
} from './catalog.ts'
export type { OwnRoles } from './collector.ts'
export type {
  CalledFunction,
  Effect,
  EffectName,
  RelationRef,
  StatementSpan,
  TouchedColumn,
  TransactionControl,
  Understanding,
} from './facts.ts'
export { type CoverableRequest, coverageKey } from './coverage-key.ts'
export { functionClass, isHarmlessFunction } from './functions.ts'
export { isMaskedSystemColumn, systemColumnsMasked } from './system-columns.ts'
export type { CatalogType, TypeFacts } from './types.ts'
export { exactKey, shapeKey, STATEMENTS_VERSION } from './keys.ts'
export { complexityOf } from './complexity.ts'
export { isParserBroken, loadStatements, LOOP_BYTES_MAX, STATEMENT_BYTES_MAX } from './parser.ts'
export {
  isLookedThrough,
  isSamePath,
  meantPath,
  pathIn,
  type PathRules,
  pathRulesOf,
} from './search-path.ts'
export {
  isGivenUnasked,
  isSettledAtStart,
  mayBeginWith,
  namesASession,
  NAMED_ALIKE_IN,
  READ_UNDER,
  START_SETTINGS_MAX,
} from './settings.ts'
export { redefinitions, type RedefinedNames, type Redefinitions } from './redefinitions.ts'
export { copyIn, copyInHint, type CopyIn } from './copy-in.ts'
export { copyOut, type CopyOut } from './copy-out.ts'
export { borrowsColumns } from './borrowed-columns.ts'
export {
  executedName,
  type NamedStatement,
  preparedName,
  seemsToExecute,
  seemsToUseName,
} from './executed.ts'
export type { Obstacle } from './obstacles.ts'
export { isImpossible, nameProbesOf, obstaclesOf, type Probe, probesOf } from './probes.ts'
export { literal } from './literal.ts'
export { namedSettings } from './named-settings.ts'
export { type SyntaxError, syntaxErrorIn, syntaxErrorOf } from './syntax-error.ts'
export { failsInFailedTransaction } from './transaction-exit.ts'
export {
  isEndTold,
  isOfOneSetting,
  setsTransactionMode,
  type TransactionTurn,
  transactionTurn,
} from './next-transaction.ts'
export { type ResultColumns, resultColumns } from './result-columns.ts'
export { rendering } from './rendering.ts'
export { tooComplex, understand, type BesideText, type UnderstandOptions } from './understand.ts'
