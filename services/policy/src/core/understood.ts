import {
  type BesideText,
  copyOut,
  type CopyOut,
  type ResultColumns,
  resultColumns,
  type TargetCatalog,
  understand,
  type Understanding,
  type UnderstandOptions,
} from '@countersign/statements'

/** Everything that a decision needs of a text: what the text would do, and what the columns of its result are made of. */
export type Understood = {
  readonly understanding: Understanding
  readonly result: ResultColumns
  /** The columns of a COPY TO STDOUT; null where they cannot be told, and for anything else. */
  readonly copyOut: CopyOut | null
}

/** Understands a text. The result of an EXECUTE is that of the statement which it runs. */
export function understood(
  text: Uint8Array,
  target: TargetCatalog,
  options: UnderstandOptions = {},
): Understood {
  const understanding = understand(text, target, options)
  // Nothing else is asked about a text that is refused.
  if (understanding.tooComplex !== null) return notUnderstood(understanding)
  const sql = options.executes?.text ?? text
  return {
    understanding,
    result: resultColumns(sql, target),
    copyOut:
      understanding.copy === 'out' ? copyOut(Buffer.from(sql).toString('utf8'), target) : null,
  }
}

/** A text of which nothing but its refusal is known. */
export const notUnderstood = (understanding: Understanding): Understood => ({
  understanding,
  result: { madeOf: [], cursor: null },
  copyOut: null,
})

/** The bytes of a text, and of the statement that it executes. */
export const bytesToParse = (text: Uint8Array, { executes }: BesideText): number =>
  text.length + (executes?.text.length ?? 0)
