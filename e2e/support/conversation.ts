import type { ServerFrame } from '@countersign/postgres-wire'
import { told, type Wire } from './wire.ts'

/** What a client does: it sends bytes, or waits for a frame of one of these types. */
export type Turn = Buffer | readonly ServerFrame['tag'][]

export const READY: Turn = ['Z']

/** What a function computes is masked, which is another promise: a row is a row here. */
export const unmasked = (heard: readonly string[], expected: readonly string[]): string[] =>
  heard.map((line, at) => (line === 'row null' ? (expected[at] ?? line) : line))

/** What a client hears that does this, in words that can be compared. */
export async function heardIn(
  wire: Pick<Wire, 'send' | 'until'>,
  turns: readonly Turn[],
): Promise<string[]> {
  const heard: string[] = []
  for (const turn of turns) {
    if (Buffer.isBuffer(turn)) wire.send(turn)
    else heard.push(...told(await wire.until(...turn)))
  }
  return heard
}
