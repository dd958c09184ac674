import { after } from '@countersign/kernel'

/** A limit in time. */
export type Deadline = Disposable & { readonly signal: AbortSignal }

/** Aborts after this time, unless what it is for has ended before: then nothing of it is left behind. */
export function deadline(ms: number): Deadline {
  const controller = new AbortController()
  const wait = after(ms, () => controller.abort())
  return { signal: controller.signal, [Symbol.dispose]: () => wait[Symbol.dispose]() }
}
