/** The outcome of something that a peer's data decides: a value, or why there is none. */
export type Result<T, E = string> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E }

export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value })
export const failed = <E>(error: E): Result<never, E> => ({ ok: false, error })
