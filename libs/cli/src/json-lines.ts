import { Problem } from '@countersign/kernel'

/** The values of JSON Lines, as they arrive. A stream that is cut off is an error, never an end. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder()
  let pending = ''
  try {
    for await (const chunk of chunks) {
      pending += decoder.decode(chunk, { stream: true })
      if (pending.length > LINE_CHARACTERS_MAX) throw new RangeError('a line is too long')
      const lines = pending.split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) yield JSON.parse(line)
    }
  } catch (cause) {
    throw cutOff(cause)
  }
  if (pending !== '') throw cutOff(null)
}

const cutOff = (cause: unknown): Problem =>
  new Problem('CS_BAD_REQUEST', 'the answer was cut off before its end', {
    cause,
    retriable: true,
    hint: 'Try again; see the log of the service if it happens again.',
  })

const LINE_CHARACTERS_MAX = 64 * 1024 * 1024
