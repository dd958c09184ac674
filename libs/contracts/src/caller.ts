import type { Identity } from './generated/common.ts'

/** Who calls. An agent may ask; it never answers for people, whatever groups it is in. */
export type Caller = Identity & { readonly isAgent: boolean }
