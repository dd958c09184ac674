import type { Identity } from './generated/common.ts'

/** The identity behind a call. An agent may ask; it never answers for people, whatever groups it is in. */
export type Caller = Identity & { readonly isAgent: boolean }
