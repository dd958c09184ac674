import { deadline } from './deadline.ts'
import { during, type Session } from './session-state.ts'

/** Waits until something holds that the session hears of, or until the limit. True if it holds then. */
export async function heard(
  session: Session,
  holds: () => boolean,
  limitMs: number,
): Promise<boolean> {
  if (holds()) return true
  using within = deadline(limitMs)
  const { signal } = within
  while (!holds() && !signal.aborted) await during(session, woken(session, signal))
  return holds()
}

/** Resolves when anything is heard about the session, or when the limit aborts. */
function woken(session: Session, limit: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    session.wake = resolve
    limit.addEventListener('abort', () => resolve(), { once: true })
  })
}
