/** The place of a record in the log. */
export type Position = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A partition of a topic. */
export type Place = Pick<Position, 'topic' | 'partition'>

/** The position as it stands in the header `causation`. */
export const formatPosition = (at: Position): string => `${at.topic}/${at.partition}/${at.offset}`

/** The position in a header, or null where it is none. */
export function parsePosition(text: string): Position | null {
  const found = /^([A-Za-z0-9._-]+)\/(\d{1,9})\/(\d{1,15})$/.exec(text)
  if (found?.[1] === undefined) return null
  return { topic: found[1], partition: Number(found[2]), offset: Number(found[3]) }
}
