import { setImmediate } from 'node:timers/promises'

/**
 * Gives the event loop back when this session has had it long enough. Messages that a client sends ahead are taken
 * without waiting for anything, so a session would keep all others waiting for as long as such messages are there.
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
