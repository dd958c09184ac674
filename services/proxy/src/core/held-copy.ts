import type { Bind, Describe, Parse, Request } from '@countersign/postgres-wire'
import { copyIn, type CopyIn } from '@countersign/statements'
import type { Ask } from './pipeline-plan.ts'
import type { StatementNames } from './statement-names.ts'

/** A COPY FROM STDIN whose data the agent can send before anything of it goes to the target. */
export type HeldCopy = {
  readonly copy: CopyIn
  /** The messages that Countersign answers before it asks for the data, in their order. */
  readonly answered: readonly Answered[]
  /** The messages that the target gets, once it may: a Parse and a Describe are not repeated to it. */
  readonly messages: readonly Request[]
}

export type Answered = Parse | Bind | Describe

/**
 * Finds out whether a request is one COPY FROM STDIN that runs and that the agent waits for. Null where it is not: a Bind that
 * nothing executes yet, several statements in one text, or messages behind it that PostgreSQL does not take amidst the data.
 */
export function heldCopy(
  messages: readonly Request[],
  { firstStep, lastStep, sql }: Ask,
  names: Pick<StatementNames, 'statements'>,
): HeldCopy | null {
  const steps = messages.slice(firstStep, lastStep)
  const last = messages[lastStep]
  const copy = copyIn(sql)
  if (copy === null || (last?.tag !== 'Query' && last?.tag !== 'Execute')) return null
  const answered = steps.filter(isAnswered)
  if (answered.length < steps.length || !describesOnlyItself(answered)) return null
  // PostgreSQL refuses a name that is taken.
  if (answered.some((one) => one.tag === 'Parse' && isTaken(names, one.name))) return null
  const behind = messages.slice(lastStep + 1)
  if (!behind.every(({ tag }) => tag === 'Sync' || tag === 'Flush')) return null
  return { copy, answered, messages: [...answered.filter(({ tag }) => tag === 'Bind'), last] }
}

const isAnswered = (message: Request): message is Answered =>
  message.tag === 'Parse' || message.tag === 'Bind' || message.tag === 'Describe'

/** True if each Describe is of the statement or the portal of the group, and stands behind what makes it. */
function describesOnlyItself(answered: readonly Answered[]): boolean {
  return answered.every((one, at) => {
    if (one.tag !== 'Describe') return true
    return answered.slice(0, at).some((made) => {
      if (one.kind === 'portal') return made.tag === 'Bind' && made.portal === one.name
      return made.tag === 'Parse' && made.name === one.name
    })
  })
}

const isTaken = ({ statements }: Pick<StatementNames, 'statements'>, name: string): boolean =>
  name !== '' && statements.has(name)
