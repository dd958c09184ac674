import { createHash } from 'node:crypto'
import { after, keepNewest, rested } from '@countersign/kernel'
import type { Entry } from '../core/entry.ts'
import type { Listener } from './listener.ts'

export type FollowOptions = {
  /** The entries that are told first. */
  past: AsyncIterable<readonly Entry[]>
  /** The entries to tell since the last call, and whether they were all. */
  next(): Promise<{ complete: boolean; entries: Iterable<readonly Entry[]> }>
  /** Resolves when there is more. */
  changed(): Promise<void>
  /** The time at which the token of the reader runs out, in ms since 1970. */
  untilMs: number
}

/**
 * Sends each entry of a timeline once, as it comes, up to the end of the session or the token (server-sent events). The
 * last event says which: a connection that is cut can look like an end.
 */
export async function follow(
  { gone, write, rest }: Pick<Listener, 'gone' | 'write' | 'rest'>,
  { past, next, changed, untilMs }: FollowOptions,
): Promise<void> {
  // bound: SENT_MAX
  const sent = new Set<string>()
  async function send(entries: readonly Entry[]): Promise<void> {
    await rest()
    for (const entry of entries) {
      const name = nameOf(entry)
      if (sent.has(name)) continue
      sent.add(name)
      keepNewest(sent, SENT_MAX)
      await write(`data: ${JSON.stringify(entry)}\n\n`)
    }
  }

  for await (const entries of past) {
    if (Date.now() >= untilMs) return over('token')
    await send(entries)
  }
  for (;;) {
    const { complete, entries } = await next()
    for (const some of entries) await send(some)
    const leftMs = untilMs - Date.now()
    if (complete) return over('session')
    if (leftMs <= 0) return over('token')
    await soon(changed(), Math.min(leftMs, KEEP_ALIVE_MS), gone)
    // Records come in bursts; each burst is told together.
    await rested(PAUSE_MS)
    await write(':\n\n')
  }

  function over(what: 'session' | 'token'): Promise<void> {
    return write(`event: over\ndata: ${JSON.stringify({ over: what })}\n\n`)
  }
}

/** Waits for more, for this time, or for the end of the listener. */
async function soon(more: Promise<void>, ms: number, gone: AbortSignal): Promise<void> {
  gone.throwIfAborted()
  const over = Promise.withResolvers<void>()
  const wake = (): void => over.resolve()
  using _limit = after(ms, wake)
  gone.addEventListener('abort', wake)
  await Promise.race([more, over.promise])
  gone.removeEventListener('abort', wake)
}

/** A hash that names an entry, since a detail can be long. The detail of a release can change, so it does not count. */
const nameOf = ({ at, kind, requestId, who, detail }: Entry): string =>
  createHash('sha256')
    .update(JSON.stringify([at, kind, requestId, who, kind === 'released' ? '' : detail]))
    .digest('base64')

/** The most names that are remembered: an entry can come twice when records are read while others come. */
const SENT_MAX = 20_000
const PAUSE_MS = 50
const KEEP_ALIVE_MS = 15_000
