import { deque } from '@countersign/kernel'

/** Lets those wait who may, while too many bytes wait for the broker. */
export type Relief = {
  /** Resolves when there is room again; at once when there is. */
  wait(): Promise<void>
  /** Called when there may be room. */
  look(): void
}

/** They go on a few at a time: all at once would fill in one moment what was emptied. */
export function reliefOf(isCongested: () => boolean): Relief {
  const waiting = deque<() => void>()
  let isLooking = false
  function look(): void {
    if (isLooking || waiting.length === 0 || isCongested()) return
    isLooking = true
    for (let count = 0; count < AT_ONCE_MAX; count++) waiting.shift()?.()
    // Whoever goes on may append nothing, so nobody else would look again.
    setImmediate(() => {
      isLooking = false
      look()
    })
  }
  return {
    look,
    wait: () =>
      isCongested() ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(),
  }
}

const AT_ONCE_MAX = 16
