/** The data of server-sent events, as they arrive (WHATWG HTML, section 9.2). Comments and other fields are skipped. */
export async function* eventStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pending = ''
  let data: string[] = []
  for await (const chunk of chunks) {
    pending += decoder.decode(chunk, { stream: true })
    if (pending.length > CHARACTERS_MAX) throw new RangeError('an event of the stream is too large')
    // A CR may be the first half of a CRLF, so it waits for what comes next.
    const lines = pending.split(/\r\n|\n|\r(?!$)/)
    pending = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '' && data.length > 0) {
        yield data.join('\n')
        data = []
      }
      const found = /^data:? ?(.*)$/s.exec(line)
      if (found?.[1] !== undefined) data.push(found[1])
    }
  }
}

const CHARACTERS_MAX = 16 * 1024 * 1024
