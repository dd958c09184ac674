export {
  COPY_ROW_BYTES_MAX,
  type CopyMask,
  copyMask,
  type CopyOptions,
  maskCopyChunk,
  maskCopyEnd,
} from './copy-mask.ts'
export { detect, type DetectorName, DETECTORS, type Hit } from './detectors.ts'
export { maskMessage } from './message-mask.ts'
export { matches, type MaskingPlan, planFor } from './plan-for.ts'
export { maskedCells, type ResultColumn, type RowMask, rowMask } from './row-mask.ts'
