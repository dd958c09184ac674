import type { MaskingRulesDefined, Relation } from '@countersign/contracts'
import { labelsOf } from './column-rules.ts'

/** True if no rule masks anything; then values tainted by a tagged column pass too. A label of the target is a rule. */
export const masksNothing = (
  rules: Pick<MaskingRulesDefined, 'columns' | 'untagged' | 'detectors' | 'passwordLike'> | null,
  relations: readonly Pick<Relation, 'columns'>[] = [],
): boolean =>
  rules !== null &&
  rules.columns.length === 0 &&
  rules.detectors.length === 0 &&
  rules.passwordLike === null &&
  rules.untagged === 'Pass' &&
  relations.every(({ columns }) => columns.every((column) => labelsOf(column).length === 0))
