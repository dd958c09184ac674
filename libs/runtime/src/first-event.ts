import type { EventEmitter } from 'node:events'

/** Resolves at the first of these events, and listens to none of them any more. */
export async function firstEvent(emitter: EventEmitter, ...events: string[]): Promise<void> {
  const first = Promise.withResolvers<void>()
  const done = (): void => first.resolve()
  for (const event of events) emitter.on(event, done)
  await first.promise
  for (const event of events) emitter.off(event, done)
}
