import { deque } from '@countersign/kernel'

/** Lets a number of callers work at the same time; the others wait in their order. */
export type Turns = { taken(): Promise<Disposable> }

export function turnsOf(atOnceMax: number): Turns {
  const waiting = deque<() => void>()
  let free = atOnceMax
  const given = (): Disposable => {
    let isOver = false
    return {
      [Symbol.dispose]() {
        if (isOver) return
        isOver = true
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      },
    }
  }
  return {
    async taken() {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      return given()
    },
  }
}
