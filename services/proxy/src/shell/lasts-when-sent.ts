import type { Session } from './session-state.ts'

/** Nothing of what was sent is copied any more, and it may run for long; also where the target does not take it. */
export function lastsWhenSent({ client, target, proxy }: Session): Disposable {
  let isOver = false
  const lasts = (): void => {
    if (!isOver) client.lasts()
  }
  const late = proxy.net.after('messages that run', SENT_MS, lasts)
  proxy.net.detached('messages that run', target.drained().then(lasts))
  return {
    [Symbol.dispose]() {
      isOver = true
      late[Symbol.dispose]()
    },
  }
}

/** A target that has not taken what was sent in this time may be at something else for long. */
const SENT_MS = 1_000
