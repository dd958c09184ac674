import { usage } from './usage.ts'

/** The session and agent that something is done for. */
export type Asker = { readonly sessionId: string; readonly agent: string }

/** The time that agents and their sessions have used lately: of those who wait, whoever has used least comes first. */
export type Shares = {
  ofAgent(asker: Asker, nowMs: number): number
  charge(asker: Asker, ms: number, nowMs: number): void
  /** Takes the next one out of those that wait; null where none of them may go. */
  next<T extends { readonly asker: Asker }>(
    waiting: T[],
    nowMs: number,
    mayGo?: (one: T) => boolean,
  ): T | null
}

export function newShares(): Shares {
  const used = usage()
  const ofAgent = ({ agent }: Asker, nowMs: number): number => used.msOf(agentKey(agent), nowMs)
  return {
    ofAgent,
    charge(asker, ms, nowMs) {
      used.add(agentKey(asker.agent), ms, nowMs)
      used.add(asker.sessionId, ms, nowMs)
    },
    next(waiting, nowMs, mayGo = () => true) {
      let best: { place: number; agentMs: number; sessionMs: number } | null = null
      for (const [place, one] of waiting.entries()) {
        if (!mayGo(one)) continue
        const agentMs = ofAgent(one.asker, nowMs)
        const sessionMs = used.msOf(one.asker.sessionId, nowMs)
        const isLess =
          best === null ||
          agentMs < best.agentMs ||
          (agentMs === best.agentMs && sessionMs < best.sessionMs)
        if (isLess) best = { place, agentMs, sessionMs }
      }
      return best === null ? null : (waiting.splice(best.place, 1)[0] ?? null)
    },
  }
}

/** The key of an agent, which is never the id of a session. */
const agentKey = (agent: string): string => `agent ${agent}`
