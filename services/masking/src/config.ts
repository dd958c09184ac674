import { COMMON_SETTINGS } from '@countersign/runtime'

/** The settings of masking; the table in the README is made from them. */
export const SETTINGS = { ...COMMON_SETTINGS }
