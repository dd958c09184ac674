import type { Session } from './session-state.ts'

/** Runs something when no part of a message has come from the agent for so long, nor since then. Its waits for memory do not count. */
export function whenSilent(
  { client, proxy: { clock, net } }: Pick<Session, 'client' | 'proxy'>,
  { limitMs, sinceMs, where }: { limitMs: number; sinceMs: number; where: string },
  run: () => void,
): Disposable {
  const leftMs = (): number =>
    Math.max(sinceMs, client.partAtMs() ?? sinceMs) + limitMs - clock.monotonicMs()
  const look = (): void => {
    const left = leftMs()
    if (left <= 0) run()
    else timer = net.after(where, left, look)
  }
  let timer = net.after(where, leftMs(), look)
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}
