import type { ServerFrame } from '@countersign/postgres-wire'
import { told, type Wire } from './wire.ts'

/** One step of a client: bytes that it sends, or types of frames; then it waits for the next frame of one of these types. */
export type Turn = Buffer | readonly ServerFrame['tag'][]

export const READY: Turn = ['Z']

/** Replaces masked rows (`row null`) by the expected lines: other tests look at the masking of what functions compute. */
export const unmasked = (heard: readonly string[], expected: readonly string[]): string[] =>
  heard.map((line, at) => (line === 'row null' ? (expected[at] ?? line) : line))

/** Plays the turns of a client and gives the answers that it receives, in words that can be compared. */
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
