/** A queue that takes and gives in constant time, however long it is: `Array.shift` moves everything behind the first. */
export type Deque<T> = {
  readonly length: number
  push(item: T): void
  /** Takes the oldest; undefined when there is none. */
  shift(): T | undefined
  /** The oldest, without taking it. */
  first(): T | undefined
  /** The newest, without taking it. */
  last(): T | undefined
}

export function deque<T>(): Deque<T> {
  // bound: as long as one queue, whose owner has the bound
  let items: (T | undefined)[] = []
  let head = 0
  return {
    get length() {
      return items.length - head
    },
    push: (item) => void items.push(item),
    shift() {
      if (head === items.length) return undefined
      const item = items[head]
      // The queue must not keep a taken item alive.
      items[head++] = undefined
      if (head === items.length) {
        items = []
        head = 0
      } else if (head >= TAKEN_MAX && head * 2 >= items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
    first: () => items[head],
    last: () => (head === items.length ? undefined : items.at(-1)),
  }
}

/** So many taken places, if they are also half of all, move the rest to the front: each item moves once on average. */
const TAKEN_MAX = 1_024
