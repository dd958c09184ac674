/** Keeps the data of a COPY FROM STDIN, however they are cut into messages, up to a bound. */
export type CopyData = {
  /** Adds data; false where they would be more than the bound with these: then nothing was added. */
  add(data: Uint8Array): boolean
  /** All of them, as one piece of memory of just their size. */
  bytes(): Buffer
}

/** The copies of the data in memory: as they came, encrypted for the log, and for a moment as they are sent. */
export const COPIES = 3

export function copyData(bytesMax: number): CopyData {
  let store = Buffer.alloc(0)
  let size = 0
  return {
    add(data) {
      const next = size + data.length
      if (next > bytesMax) return false
      if (next > store.length) {
        // It doubles, so that a message of one byte costs no copy of all that came before it.
        const grown = Buffer.allocUnsafe(Math.min(bytesMax, Math.max(next, 2 * store.length)))
        store.copy(grown, 0, 0, size)
        store = grown
      }
      store.set(data, size)
      size = next
      return true
    },
    bytes: () => Buffer.from(store.subarray(0, size)),
  }
}
