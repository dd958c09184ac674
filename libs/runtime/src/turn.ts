import { setImmediate } from 'node:timers/promises'

/**
 * Gives the event loop back to others when one has had it long enough. What goes on without waiting for anything, such as
 * messages that a client sent ahead or an answer that is taken at once, would keep all others waiting.
 */
export type Turn = {
  /** Resolves at once, or after everybody else had their turn. */
  next(): Promise<void>
}

export function turns(nowMs: () => number): Turn {
  let beganMs = nowMs()
  return {
    async next() {
      if (nowMs() - beganMs < TURN_MS_MAX) return
      await setImmediate()
      beganMs = nowMs()
    },
  }
}

const TURN_MS_MAX = 5
