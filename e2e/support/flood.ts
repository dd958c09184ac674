import { toServer } from '@countersign/postgres-wire'
import type { Wire } from './wire.ts'

/** A small statement of the extended protocol, without Sync. */
export const SMALL = Buffer.concat([
  toServer.parse('', 'select 1'),
  toServer.bind(),
  toServer.execute(),
])

/** Sends the same bytes this many times, rounded up to thousands, as fast as the proxy takes them. Fails where it closes. */
export async function flood({ socket }: Wire, part: Buffer, times: number): Promise<void> {
  const many = Buffer.concat(Array<Buffer>(1_000).fill(part))
  for (let sent = 0; sent < times; sent += 1_000) {
    if (socket.write(many)) continue
    await new Promise<void>((resolve, reject) => {
      const closed = (): void => reject(new Error(`closed when ${sent} were sent`))
      if (socket.destroyed) return closed()
      socket.once('close', closed)
      socket.once('drain', () => {
        socket.off('close', closed)
        resolve()
      })
    })
  }
}

/** Counts the answers by message type, without keeping any of them. */
export function counted(wire: Wire): (tag: string) => number {
  const counts = new Map<number, number>()
  let held = Buffer.alloc(0)
  wire.socket.removeAllListeners('data')
  wire.socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    let at = 0
    while (held.length - at >= 5 && held.length - at > held.readUInt32BE(at + 1)) {
      const letter = held[at] ?? 0
      counts.set(letter, (counts.get(letter) ?? 0) + 1)
      at += 1 + held.readUInt32BE(at + 1)
    }
    held = held.subarray(at)
  })
  return (tag) => counts.get(tag.charCodeAt(0)) ?? 0
}

/** Polls until the condition holds. */
export async function until(condition: () => boolean, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
