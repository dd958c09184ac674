import { setImmediate } from 'node:timers/promises'
import { deque } from '@countersign/kernel'
import type { Net } from '@countersign/runtime'

/**
 * Bounds the bytes that all sessions search in one turn of the loop, which has other work: the log needs some ten turns
 * of the loop for an append, and a lease is renewed by it too. Sessions with more wait, first come, first served.
 */
export type SearchTurns = {
  /** Counts bytes that were searched in this turn of the loop. */
  searched(bytes: number): void
  /** True if so much was searched that the rest should wait for `next`. */
  isOver(): boolean
  /** Resolves in a later turn; each turn is for one of those that wait. */
  next(): Promise<void>
}

export function searchTurns(net: Net, bytesMax = SEARCHED_BYTES_MAX): SearchTurns {
  const waiting = deque<() => void>()
  let bytes = 0
  let isTurning = false
  const turn = (): void => {
    isTurning = false
    bytes = 0
    waiting.shift()?.()
    if (waiting.length > 0) goesOn()
  }
  const goesOn = (): void => {
    if (isTurning) return
    isTurning = true
    net.detached('a turn of the loop', setImmediate().then(turn))
  }
  return {
    searched(more) {
      bytes += more
      goesOn()
    },
    isOver: () => bytes > bytesMax,
    next() {
      const given = new Promise<void>((resolve) => waiting.push(resolve))
      goesOn()
      return given
    },
  }
}

/** Some 15 ms with the slowest texts. */
const SEARCHED_BYTES_MAX = 64 * 1024
