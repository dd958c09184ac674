/** A value whose type remembers what it identifies, so that a session id is never passed as a request id. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name }
