export type { Brand } from './brand.ts'
export { type Decider, folded } from './decider.ts'
export { type Deque, deque } from './deque.ts'
export { sha256 } from './digest.ts'
export { matchesGlob } from './glob.ts'
export { ERROR_CODES, type ErrorCode, isErrorCode } from './error-codes.ts'
export { NEXT_STEPS } from './next-steps.ts'
export {
  EventId,
  idTimeMs,
  InstanceId,
  isFromTheFuture,
  isUuid,
  RequestId,
  SessionId,
  uuidv5,
  uuidv7,
} from './ids.ts'
export { afterMs, type Clock, Instant, isoOf, millisBetween, systemClock } from './instant.ts'
export { keepNewest } from './keep-newest.ts'
export { inParallel } from './in-parallel.ts'
export { oneAtATime } from './one-at-a-time.ts'
export { messageOf, Problem, type ProblemOptions } from './problem.ts'
export { randomBytes } from './random.ts'
export { failed, ok, type Result } from './result.ts'
export { Secret } from './secret.ts'
export { type Sharing, sharing } from './sharing.ts'
export { after, rested } from './long-wait.ts'
export { within } from './within.ts'
