import type { Duplex } from 'node:stream'

/** Resolves when a connection has taken what was written, as far as memory is concerned, or is closed. */
export async function drained(socket: Duplex): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return
  const over = Promise.withResolvers<void>()
  const done = (): void => over.resolve()
  socket.on('drain', done)
  socket.on('close', done)
  await over.promise
  socket.off('drain', done)
  socket.off('close', done)
}
