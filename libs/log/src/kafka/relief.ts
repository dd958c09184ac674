import { deque } from '@countersign/kernel'

/** Makes callers that can wait do so while too many bytes wait for the broker. */
export type Relief = {
  /** Resolves when there is room again; at once when there is. */
  wait(): Promise<void>
  /** Called when there may be room. */
  look(): void
}

/** The callers go on a few at a time: all at once would fill the queue again in one moment. */
export function reliefOf(isCongested: () => boolean): Relief {
  const waiting = deque<() => void>()
  let isLooking = false
  function look(): void {
    if (isLooking || waiting.length === 0 || isCongested()) return
    isLooking = true
    for (let count = 0; count < AT_ONCE_MAX; count++) waiting.shift()?.()
    // The callers that go on may append nothing, and then nothing else would call `look` again.
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
