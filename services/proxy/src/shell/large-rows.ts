import type { Reservation } from './memory.ts'
import { roomFor } from './room.ts'
import { endSession, type Session } from './session-state.ts'

/** The part that a session has of the memory for large messages. */
export type LargeRow = {
  held: Reservation | null
  isWaiting: boolean
  /** Looks whether the message that memory was given for arrives. */
  arrival: Disposable | null
}

export const noLargeRow = (): LargeRow => ({ held: null, isWaiting: false, arrival: null })

/**
 * Called with each piece that the target sent. A message that is large by its header waits, where it is, until there is
 * memory for it; what it takes is given back when the agent and the log have it.
 */
export function admitLarge(session: Session, framesTaken: number): void {
  const { largeRow, target, proxy } = session
  if (largeRow.isWaiting) return
  if (largeRow.held === null && target.frameUnderWay() < LARGE_BYTES_MIN) return
  if (largeRow.held !== null && framesTaken === 0) return
  proxy.net.detached('a large row', inTurn(session), () => target.close())
}

/** Gives back the memory of the session once its agent is gone and no thread has its row. */
export function releaseLarge({ largeRow, client, proxy, masking }: Session): void {
  const released = Promise.allSettled([client.closed, masking]).then(() => {
    largeRow.arrival?.[Symbol.dispose]()
    largeRow.held?.release()
  })
  proxy.net.detached('memory of a large row', released)
}

async function inTurn(session: Session): Promise<void> {
  const { largeRow, target, proxy } = session
  largeRow.isWaiting = true
  largeRow.arrival?.[Symbol.dispose]()
  largeRow.arrival = null
  target.pause()
  if (largeRow.held !== null) await readInTime(session)
  largeRow.held?.release()
  largeRow.held = null
  const bytes = target.frameUnderWay()
  if (bytes >= LARGE_BYTES_MIN && !session.isEnding) {
    const given = await proxy.memory.reserve(bytes * COPIES)
    if (session.isEnding) given.release()
    else {
      largeRow.held = given
      largeRow.arrival = lookingForArrival(session)
    }
  }
  largeRow.isWaiting = false
  target.resume()
}

/** A message that stops on its way keeps memory that others wait for: then its session ends. */
function lookingForArrival(session: Session): Disposable {
  const { proxy, target, client, journal } = session
  // Bytes that were written before it may keep the target paused until the agent has read them.
  const moved = (): number => target.receivedBytes() - client.unreadBytes()
  let last = moved()
  return proxy.net.every('looking whether a large row arrives', STALL_MS, () => {
    const now = moved()
    const isOurs = session.framesBehind !== null || journal.isCongested()
    if (now === last && !isOurs && proxy.memory.isWanted())
      stalled(session, client.unreadBytes() > 0 ? UNREAD : 'nothing of a large row arrived')
    last = now
  })
}

/** An agent that does not read keeps memory that others wait for: then its session ends. */
export async function readInTime(session: Session): Promise<void> {
  const { client, proxy } = session
  let last = client.unreadBytes()
  using _look = proxy.net.every('looking whether a large row is read', STALL_MS, () => {
    const now = client.unreadBytes()
    if (now >= last && now > 0 && proxy.memory.isWanted()) stalled(session, UNREAD)
    last = now
  })
  await roomFor(session)
}

const stalled = (session: Session, what: string): void =>
  endSession(session, {
    reason: 'LimitReached',
    code: 'CS_SESSION_LIMIT',
    words: `${what} for ${STALL_MS / 1_000} s while others wait for memory (CS_MEMORY_BYTES_MAX of the proxy)`,
  })

const UNREAD = 'the agent read nothing'
/** Smaller messages are bounded by what a socket gives at once. */
const LARGE_BYTES_MIN = 1024 * 1024
/** The copies of a row: as it came, as text, base64 or hex decoded (also as text), and masked; measured with 60 MB. */
const COPIES = 6
const STALL_MS = 10_000
