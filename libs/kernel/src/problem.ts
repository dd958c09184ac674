import type { ErrorCode } from './error-codes.ts'

/** Something is unavailable or unusable. The code is public and stable; see `docs/errors.md`. */
export class Problem extends Error {
  readonly code: ErrorCode
  /** True if the same request may succeed later without anybody changing anything. */
  readonly retriable: boolean
  /** The next step of the reader, as one sentence. */
  readonly hint: string | null

  constructor(code: ErrorCode, message: string, options: ProblemOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.retriable = options.retriable ?? false
    this.hint = options.hint ?? null
  }
}

export type ProblemOptions = { retriable?: boolean; hint?: string; cause?: unknown }

/** The message of a thrown value of any type. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
