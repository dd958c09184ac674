import type { ServerResponse } from 'node:http'
import { rested } from '@countersign/kernel'
import type { Entry } from '../core/entry.ts'

export type FollowOptions = {
  /** What is told first. */
  past: AsyncIterable<readonly Entry[]>
  /** What there is to tell since the last call, and whether it was all. */
  next(): Promise<{ complete: boolean; entries: readonly Entry[] }>
  /** Resolves when there is more. */
  changed(): Promise<void>
  /** When the token of the reader runs out. */
  untilMs: number
}

/** Sends each entry of a timeline once, as it comes, and ends with the session (server-sent events). */
export async function follow(response: ServerResponse, options: FollowOptions): Promise<void> {
  // bound: SENT_MAX
  const sent = new Set<string>()
  const gone = new Promise<void>((resolve) => response.once('close', resolve))
  async function send(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) {
      const name = nameOf(entry)
      if (sent.has(name) || response.destroyed) continue
      sent.add(name)
      const [oldest] = sent
      if (sent.size > SENT_MAX && oldest !== undefined) sent.delete(oldest)
      if (response.write(`data: ${JSON.stringify(entry)}\n\n`)) continue
      // A reader that is slow gets no more than it takes.
      await Promise.race([new Promise((resolve) => response.once('drain', resolve)), gone])
    }
  }

  for await (const entries of options.past) await send(entries)
  for (;;) {
    const { complete, entries } = await options.next()
    await send(entries)
    const leftMs = options.untilMs - Date.now()
    if (complete || leftMs <= 0 || response.destroyed) break
    await Promise.race([options.changed(), gone, rested(Math.min(leftMs, KEEP_ALIVE_MS))])
    if (response.destroyed) break
    // Records come in bursts; each burst is told together.
    await rested(PAUSE_MS)
    response.write(':\n\n')
  }
  response.end()
}

const nameOf = ({ at, kind, requestId, who, detail }: Entry): string =>
  JSON.stringify([at, kind, requestId, who, kind === 'released' ? '' : detail])

/** An entry can come twice where records are read while they come. */
const SENT_MAX = 20_000
const PAUSE_MS = 50
const KEEP_ALIVE_MS = 15_000
