import type { ServerResponse } from 'node:http'
import { rested } from '@countersign/kernel'
import type { Entry } from '../core/entry.ts'

export type FollowOptions = {
  /** What there is to tell since the last call, and whether it was all. */
  next(): Promise<{ complete: boolean; entries: readonly Entry[] }>
  /** Resolves when there is more. */
  changed(): Promise<void>
  /** When the token of the reader runs out. */
  untilMs: number
}

/** Sends each entry of a timeline once, as it comes, and ends with the session (server-sent events). */
export async function follow(response: ServerResponse, options: FollowOptions): Promise<void> {
  const sent = new Set<string>()
  const gone = new Promise<void>((resolve) => response.once('close', resolve))
  for (;;) {
    const { complete, entries } = await options.next()
    for (const entry of entries) {
      const name = nameOf(entry)
      if (sent.has(name)) continue
      sent.add(name)
      response.write(`data: ${JSON.stringify(entry)}\n\n`)
    }
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

const PAUSE_MS = 50
const KEEP_ALIVE_MS = 15_000
