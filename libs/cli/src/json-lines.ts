import { Problem } from '@countersign/kernel'
import { json } from './json.ts'

/** The values of JSON Lines, as they arrive. A stream that is cut off is an error, never an end. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let pending = ''
  try {
    for await (const chunk of chunks) {
      const text = decoder.decode(chunk, { stream: true })
      if (pending.length + text.length > LINE_CHARACTERS_MAX)
        throw new RangeError('a line is too long')
      const isEnded = text.includes('\n')
      pending += text
      // A chunk without a line feed ends no line, so the earlier text is not searched again.
      if (!isEnded) continue
      const lines = pending.split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line)
    }
  } catch (cause) {
    throw cutOff(cause)
  }
  if (pending !== '') throw cutOff(null)
}

/** A head and its entries, up to the line that gives their number as `entries`: an answer that was cut does not look whole. */
export async function* counted(lines: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  let count = -1
  for await (const line of lines) {
    const said = json.number(line, 'entries')
    if (said === count) return
    if (said !== null) break
    count++
    yield line
  }
  throw cutOff(null)
}

export const cutOff = (cause: unknown): Problem =>
  new Problem('CS_SERVICE_UNAVAILABLE', 'the answer was cut off before its end', {
    cause,
    retriable: true,
    hint: 'Try again; see the log of the service if it happens again.',
  })

const LINE_CHARACTERS_MAX = 64 * 1024 * 1024
