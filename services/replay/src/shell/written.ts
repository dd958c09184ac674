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

/** JSON Lines has no registered type; this is the one that is in use. */
export const JSON_LINES = 'application/x-ndjson'
