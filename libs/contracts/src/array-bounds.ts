import avro from 'avsc'

/**
 * avsc 5.7.9 believes the number of items that stands before an array: ten bytes that promise two thousand million
 * items keep it busy for minutes. Here each item has at least one byte, so a block with more items than bytes ends the reading.
 */
export function boundArrays(): void {
  const arrays: { _read: unknown; _skip: unknown } = Object.getPrototypeOf(
    avro.Type.forSchema({ type: 'array', items: 'int' }),
  )
  arrays._read = function (this: Items, tap: Tap): unknown[] {
    const items: unknown[] = []
    for (let count = blockOf(tap); count > 0; count = blockOf(tap))
      for (; count > 0; count--) items.push(this.itemsType._read(tap))
    return items
  }
  arrays._skip = function (this: Items, tap: Tap): void {
    for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
      if (count < 0) {
        const size = bounded(tap, tap.readLong())
        tap.pos += size
        continue
      }
      for (let rest = bounded(tap, count); rest > 0; rest--) this.itemsType._skip(tap)
    }
  }
}

/** The number of items of the next block; a negative one is followed by the size of the block in bytes. */
function blockOf(tap: Tap): number {
  const count = tap.readLong()
  if (count < 0) tap.skipLong()
  return bounded(tap, Math.abs(count))
}

function bounded(tap: Tap, count: number): number {
  if (count >= 0 && count <= tap.buf.length - tap.pos) return count
  throw new Error('an array has more items than bytes')
}

type Tap = { readonly buf: Buffer; pos: number; readLong(): number; skipLong(): void }
type Items = { readonly itemsType: { _read(tap: Tap): unknown; _skip(tap: Tap): void } }
