export { bothPlans, maskDifferently } from './both-plans.ts'
export {
  type CopyFormat,
  type CopyMask,
  copyMask,
  type CopyOptions,
  copyRowBytesMax,
  copyState,
  type CopyState,
  isMaskedWhole,
  maskCopyChunk,
  maskCopyEnd,
  resumeCopy,
  searchedBytes,
} from './copy.ts'
export { labelsOf, type NamedColumn, systemTagged, type Tagged, taggedBy } from './column-rules.ts'
export { detect, type DetectorName, DETECTORS, type Hit } from './detect.ts'
export { kinshipOf } from './kinship.ts'
export { masksNothing } from './masks-nothing.ts'
export { type AnswersTo, maskMessage, maskText, type MessageFields } from './message.ts'
export { isPasswordLike } from './password-like.ts'
export { columnTags, type MaskingPlan, planFor } from './plan.ts'
export { mayQuoteRows, type NamedRelation } from './quoted-rows.ts'
export {
  type ColumnMask,
  isUnplanned,
  maskedCells,
  passesUnseen,
  type ResultColumn,
  type RowMask,
  rowMask,
} from './row.ts'
