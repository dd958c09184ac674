import type { Duplex } from 'node:stream'
import { firstEvent } from '@countersign/runtime'

/** Resolves when a connection has taken what was written, as far as memory is concerned, or is closed. */
export async function drained(socket: Duplex): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return
  await firstEvent(socket, 'drain', 'close')
}
