import { repeated } from './worst-texts.ts'

/**
 * True if eight times the text takes at most three times eight times the work: with the square it would be 64. Compares
 * processor time with processor time, so that neither a slow machine nor a busy one changes the answer.
 */
export function isLinear(text: string, find: (text: string) => unknown): boolean {
  const short = repeated(text, SHORT_CHARS)
  const long = repeated(text, 8 * SHORT_CHARS)
  let ofShort = Infinity
  let ofLong = Infinity
  // The first times the code is not yet compiled, and something else may get in between at any time.
  for (let round = 0; round < ROUNDS_MAX; round++) {
    ofShort = Math.min(ofShort, Math.max(work(short, find), WORK_US_MIN))
    ofLong = Math.min(ofLong, work(long, find))
    if (round > 0 && ofLong <= 3 * 8 * ofShort) return true
  }
  return false
}

/** The processor time in microseconds. That of the thread alone is counted in ticks of 4 ms on some systems. */
function work(text: string, find: (text: string) => unknown): number {
  const before = process.cpuUsage()
  find(text)
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const SHORT_CHARS = 8_000
const ROUNDS_MAX = 12
/** Less work than this cannot be told apart from none. */
const WORK_US_MIN = 100
