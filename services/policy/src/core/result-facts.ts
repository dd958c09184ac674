import type { RequestAllowed, TargetDescribed } from '@countersign/contracts'
import { copyOut, resultColumns, type Understanding } from '@countersign/statements'
import type { Tags } from './tags.ts'

/** The facts that the proxy needs to mask the answer, besides whether the statement is tainted. */
export type ResultFacts = Pick<
  RequestAllowed,
  'writesTagged' | 'plainColumns' | 'cursor' | 'cursorUse' | 'copyOut'
>

type Asked = {
  readonly sql: string | Uint8Array
  readonly target: TargetDescribed
  readonly tags: Tags
  readonly tainted: boolean
}

/**
 * The plain columns of the result, whether messages of the target may quote masked columns, the cursor in question, and the
 * columns of a COPY.
 */
export function resultFacts(understanding: Understanding, asked: Asked): ResultFacts {
  const { sql, target, tags, tainted } = asked
  const { madeOf, cursor } = resultColumns(sql, target)
  // Opaque code may show anything, even through columns that do not call it.
  const isOpaque = understanding.columnsUnknown
  const runsCode = understanding.effects.some(
    ({ effect }) => effect === 'opaque' || effect === 'unknown',
  )
  return {
    writesTagged: understanding.effects.some(
      ({ effect, relation }) =>
        WRITING.has(effect) && relation !== null && tags.ofWritten(relation).length > 0,
    ),
    plainColumns:
      !tainted || isOpaque || tags.guardedFrom(understanding)
        ? []
        : madeOf.flatMap((columns, index) =>
            columns === null || tags.touchedBy({ ...understanding, columns, columnsUnknown: false })
              ? []
              : [index + 1],
          ),
    // Opaque code may also open other cursors under names that are known.
    cursor: runsCode ? null : (cursor?.name ?? null),
    cursorUse: runsCode ? 'clear' : (cursor?.use ?? null),
    copyOut: tainted || understanding.copy !== 'out' ? null : copyOut(textIn(sql), target),
  }
}

const textIn = (sql: string | Uint8Array): string =>
  typeof sql === 'string' ? sql : Buffer.from(sql).toString('utf8')

const WRITING: ReadonlySet<string> = new Set(['write', 'delete', 'schema-change'])
