import type { RequestAllowed } from '@countersign/contracts'
import type { Tags } from './tags.ts'
import type { Understood } from './understood.ts'

/** The facts that the proxy needs about the answer and what comes after it, besides whether the statement is tainted. */
export type ResultFacts = Pick<
  RequestAllowed,
  'writesTagged' | 'plainColumns' | 'cursor' | 'cursorUse' | 'copyOut' | 'redefines' | 'longText'
>

/**
 * The plain columns of the result, whether messages of the target may quote masked columns, the cursor in question, the
 * columns of a COPY, and what is told of a long text.
 */
export function resultFacts(
  { understanding, result: { madeOf, isApart, cursor }, copyOut, redefines, longText }: Understood,
  { tags, tainted }: { readonly tags: Tags; readonly tainted: boolean },
): ResultFacts {
  // Opaque code may show anything, even through columns that do not call it: by counts, or by settings that it makes.
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
      !tainted || tags.guardedFrom(understanding)
        ? []
        : madeOf.flatMap((columns, index) =>
            columns === null ||
            (isOpaque && isApart[index] !== true) ||
            tags.touchedBy({ ...understanding, columns, columnsUnknown: false })
              ? []
              : [index + 1],
          ),
    // Opaque code may also open other cursors under names that are known.
    cursor: runsCode ? null : (cursor?.name ?? null),
    cursorUse: runsCode ? 'clear' : (cursor?.use ?? null),
    copyOut: tainted ? null : copyOut,
    redefines,
    longText,
  }
}

const WRITING: ReadonlySet<string> = new Set(['write', 'delete', 'schema-change'])
