import type { RequestAllowed, TargetDescribed } from '@countersign/contracts'
import { resultColumns, type Understanding } from '@countersign/statements'
import type { Tags } from './tags.ts'

/** What the proxy must know to mask the answer, besides whether the statement is tainted. */
export type ResultFacts = Pick<
  RequestAllowed,
  'writesTagged' | 'plainColumns' | 'cursor' | 'cursorUse'
>

type Asked = {
  readonly sql: string | Uint8Array
  readonly target: TargetDescribed
  readonly tags: Tags
  readonly tainted: boolean
}

/** Which columns of the result are plain, whether what the target says may quote masked columns, and which cursor it is about. */
export function resultFacts(understanding: Understanding, asked: Asked): ResultFacts {
  const { sql, target, tags, tainted } = asked
  const { madeOf, cursor } = resultColumns(sql, target)
  // Code that nobody looked into may show anything, also through columns that do not call it.
  const isOpaque = understanding.columnsUnknown
  const runsCode = understanding.effects.some(
    ({ effect }) => effect === 'opaque' || effect === 'unknown',
  )
  return {
    writesTagged: understanding.effects.some(
      ({ effect, relation }) =>
        WRITING.has(effect) && relation !== null && tags.ofRelation(relation).length > 0,
    ),
    plainColumns:
      !tainted || isOpaque || tags.guardedFrom(understanding)
        ? []
        : madeOf.flatMap((columns, index) =>
            columns === null || tags.touchedBy({ ...understanding, columns, columnsUnknown: false })
              ? []
              : [index + 1],
          ),
    // Such code may also open other cursors under names that are known.
    cursor: runsCode ? null : (cursor?.name ?? null),
    cursorUse: runsCode ? 'clear' : (cursor?.use ?? null),
  }
}

const WRITING: ReadonlySet<string> = new Set(['write', 'delete', 'schema-change'])
