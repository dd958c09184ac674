import type { RequestAllowed } from '@countersign/contracts'
import { isMaskedSystemColumn, type RelationRef } from '@countersign/statements'
import type { Tags } from './tags.ts'
import type { Understood } from './understood.ts'

/** The facts that the proxy needs about the answer and what comes after it, besides whether the statement is tainted. */
export type ResultFacts = Pick<
  RequestAllowed,
  | 'writesTagged'
  | 'plainColumns'
  | 'valueFreeColumns'
  | 'cursor'
  | 'cursorUse'
  | 'copyOut'
  | 'redefines'
  | 'longText'
>

/**
 * The plain columns of the result, whether messages of the target may quote masked columns, the cursor in question, the
 * columns of a COPY, and what is told of a long text.
 */
export function resultFacts(
  { understanding, result: { madeOf, isApart, cursor }, copyOut, redefines, longText }: Understood,
  { tags, tainted }: { readonly tags: Tags; readonly tainted: boolean },
): ResultFacts {
  const runsCode = understanding.effects.some(
    ({ effect }) => effect === 'opaque' || effect === 'unknown',
  )
  // Opaque code may show anything, even through columns that do not call it: by counts, or by settings that it makes. A
  // function that only returns values of users shows them in its own column.
  const isOpaque =
    understanding.columnsUnknown && (runsCode || understanding.statements.length !== 1)
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
    valueFreeColumns:
      isOpaque || tags.guardedFrom(understanding)
        ? []
        : madeOf.flatMap((columns, index) =>
            columns?.every(({ relation, column }) => isOfCatalog(relation, column)) === true
              ? [index + 1]
              : [],
          ),
    // Opaque code may also open other cursors under names that are known.
    cursor: runsCode ? null : (cursor?.name ?? null),
    cursorUse: runsCode ? 'clear' : (cursor?.use ?? null),
    copyOut: tainted ? null : copyOut,
    redefines,
    longText,
  }
}

/** True for a column of PostgreSQL's own catalogs that shows no values of users. */
const isOfCatalog = ({ schema, name }: RelationRef, column: string): boolean =>
  (schema === 'pg_catalog' || schema === 'information_schema') &&
  !isMaskedSystemColumn({ schema, relation: name, column })

const WRITING: ReadonlySet<string> = new Set(['write', 'delete', 'schema-change'])
