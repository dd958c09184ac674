/** The data of server-sent events, as they arrive (WHATWG HTML, section 9.2). Comments and other fields are skipped. */
export async function* eventStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pending = ''
  let mayBeHalf = false
  let data: string[] = []
  let characters = 0
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true })
    const isEnded = mayBeHalf || /[\r\n]/.test(text)
    // A CR may be the first half of a CRLF, so it waits for what comes next.
    mayBeHalf = text.endsWith('\r')
    pending += text
    if (characters + pending.length > CHARACTERS_MAX)
      throw new RangeError('an event of the stream is too large')
    // A part that came before is not searched again with each chunk.
    if (!isEnded) continue
    const lines = pending.split(/\r\n|\n|\r(?!$)/)
    pending = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield data.join('\n')
        data = []
        characters = 0
      }
      const found = /^data:? ?(.*)$/s.exec(line)?.[1]
      if (found === undefined) continue
      data.push(found)
      characters += found.length
    }
  }
}

const CHARACTERS_MAX = 16 * 1024 * 1024
