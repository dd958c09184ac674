import type { ServerResponse } from 'node:http'
import { Problem } from '@countersign/kernel'
import type { Net } from '@countersign/runtime'

/** The receiver of an answer, as long as the connection is there. */
export type Listener = {
  /** Aborted when the receiver has left. */
  readonly gone: AbortSignal
  /** Sends no faster than the receiver takes it; rejects when the receiver has left. */
  write(text: string): Promise<void>
}

export function listenerOf(response: ServerResponse, net: Net): Listener {
  const left = new AbortController()
  const gone = left.signal
  const leave = (): void =>
    left.abort(new Problem('CS_BAD_REQUEST', 'the connection was closed before the answer'))
  if (response.destroyed) leave()
  else response.once('close', net.guarded('listener', leave))
  return {
    gone,
    async write(text) {
      gone.throwIfAborted()
      if (response.write(text)) return
      await drained(response)
      gone.throwIfAborted()
    },
  }
}

async function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  response.once('drain', resolve)
  response.once('close', resolve)
  await promise
  response.off('drain', resolve)
  response.off('close', resolve)
}
