import type { Asked } from '../core/asked.ts'
import type { Entry } from '../core/entry.ts'

/** A session as one JSON object, in pieces, since the length of a string has a limit. */
export async function* asJson(
  head: object,
  entries: AsyncIterable<readonly Entry[]>,
): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"timeline":[`
  let separator = ''
  for await (const some of entries)
    for (const entry of some) {
      yield `${separator}${JSON.stringify(entry)}`
      separator = ','
    }
  yield ']}'
}

/** The same as lines of JSON: the head, each entry, and the number of entries, since a cut can look like an end. */
export async function* asLines(
  head: object,
  entries: AsyncIterable<readonly Entry[]>,
): AsyncGenerator<string> {
  yield `${JSON.stringify(head)}\n`
  let count = 0
  for await (const some of entries)
    for (const entry of some) {
      yield `${JSON.stringify(entry)}\n`
      count++
    }
  yield `${JSON.stringify({ entries: count })}\n`
}

/** A request as one JSON object, its bytes in base64, a piece at a time. */
export function* askedAsJson({ subject, ...head }: Asked): Generator<string> {
  if (subject === null) return yield JSON.stringify({ ...head, subject })
  yield `${JSON.stringify(head).slice(0, -1)},"subject":"`
  for (let at = 0; at < subject.length; at += BASE64_BYTES)
    yield subject.toString('base64', at, at + BASE64_BYTES)
  yield '"}'
}

/** Base64 writes three bytes at a time. */
const BASE64_BYTES = 3 * 64 * 1024

/** JSON Lines has no registered type; this is the one that is in use. */
export const JSON_LINES = 'application/x-ndjson'
