import type { Effect } from '@countersign/contracts'

/** True if a request runs code that policy could not look into. */
export const isOpaque = ({ effects }: { readonly effects: readonly Effect[] }): boolean =>
  effects.some(({ effect }) => effect === 'opaque' || effect === 'unknown')
