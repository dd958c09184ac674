import { rested } from '@countersign/kernel'

/** The failures that pass by themselves, and how long that is waited for. */
export type Patience = { readonly while: (cause: unknown) => boolean; readonly limitMs: number }

/** Tries again while it fails for a reason that passes, with pauses that double; throws the last failure. */
export async function again<T>(attempt: () => Promise<T>, patience: Patience): Promise<T> {
  const until = performance.now() + patience.limitMs
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    try {
      return await attempt()
    } catch (cause) {
      if (!patience.while(cause) || performance.now() + pauseMs > until) throw cause
    }
    await rested(pauseMs)
  }
}

const PAUSE_MS_MIN = 20
const PAUSE_MS_MAX = 500
