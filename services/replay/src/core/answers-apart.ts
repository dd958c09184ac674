import type { AnswerGroup, Member } from './answer-groups.ts'
import type { RequestResult } from './entry.ts'
import type { Answer } from './result.ts'

/** The results of a request, and what is missing or not certain about them. */
export type Told = { readonly results: readonly RequestResult[]; readonly note: string | null }

/** The answers of a group, as they were recorded. */
export type Recorded = {
  readonly answers: readonly Answer[]
  /** The requests under which they are recorded. */
  readonly leaders: ReadonlySet<string>
  /** True if only the beginning of them is here. */
  readonly isCut: boolean
}

export const NOTHING: Told = { results: [], note: null }
export const UNREADABLE: Told = { results: [], note: 'what it was answered cannot be read' }

/**
 * Gives each request of a group its own results. Method: the target answers in order, one answer for each request, and
 * several for the text of a simple query, which is the last of its group. Where all was recorded the answers are counted
 * from the first request on. Where the recording began later, since only a later request is recorded in full, they are
 * counted from the end. Each answer must agree with what the proxy says of the end of its request.
 * Known limit: where their number is another, or one does not agree, none of the group is shown.
 */
export function toldApart(group: AnswerGroup, recorded: Recorded): ReadonlyMap<string, Told> {
  const { members } = group
  const { answers, isCut } = recorded
  const [only] = members
  if (only !== undefined && members.length === 1 && !group.hasLateEnd && !group.goesOn) {
    const told = { results: answers.map(({ result }) => result), note: isCut ? CUT : null }
    return new Map([[only.requestId, told]])
  }
  // bound: one per member
  const told = new Map<string, Told>(members.map(({ requestId }) => [requestId, NOTHING]))
  if (answers.length === 0 && !isCut) return told
  const answered = answeredIn(group, recorded)
  const unrecorded = unrecordedIn(group, recorded, answered)
  let isCertain = unrecorded !== null
  for (const [index, member] of answered.entries()) {
    const place = index - (unrecorded ?? 0)
    if (isCertain && place < 0) continue
    const own = answers.slice(place, member.kind === 'Query' ? undefined : place + 1)
    isCertain &&= own.length === 0 ? isCut : agrees(member, own, isCut)
    told.set(member.requestId, toldOf(member, own, isCut))
  }
  // One that does not agree may have been answered before: then all others are those of their neighbours.
  if (!isCertain) for (const { requestId } of answered) told.set(requestId, UNCERTAIN)
  return told
}

function toldOf({ kind }: Member, own: readonly Answer[], isCut: boolean): Told {
  const last = own.at(-1)
  const isWhole = !isCut || (kind !== 'Query' && last?.isEnded === true)
  return { results: own.map(({ result }) => result), note: isWhole ? null : CUT }
}

/** The members that were answered. An error at a question before a request is told to the agent, and aborts the request. */
function answeredIn({ members }: AnswerGroup, { answers }: Recorded): readonly Member[] {
  const answered = members.filter(
    ({ kind, outcome }) => outcome === 'Failed' || (outcome === 'Succeeded' && kind !== 'Prepare'),
  )
  const aborted = members.find(({ outcome }) => outcome === 'Aborted')
  const hasFailed = answered.some(({ outcome }) => outcome === 'Failed')
  const endsInError = typeof answers.at(-1)?.result.error === 'string'
  return aborted !== undefined && !hasFailed && endsInError ? [...answered, aborted] : answered
}

/** The number of answers at the beginning that were not recorded; null where it is not certain. */
function unrecordedIn(
  { leaders: possible, hasLateEnd, goesOn, isStartKnown }: AnswerGroup,
  { answers, leaders, isCut }: Recorded,
  answered: readonly Member[],
): number | null {
  const missing = answered.length - answers.length
  const isFromFirst = leaders.size === 1 && leaders.has(possible[0] ?? '')
  const hasQuery = answered.at(-1)?.kind === 'Query'
  if (isFromFirst && (isCut || (goesOn && missing < 0))) return isStartKnown ? 0 : null
  if (isFromFirst) return missing === 0 || (hasQuery && missing < 0) ? 0 : null
  return isCut || hasLateEnd || goesOn || hasQuery || missing < 0 ? null : missing
}

/** True if answers can be those of a request, by what the proxy says of its end. */
function agrees(member: Member, answers: readonly Answer[], isCut: boolean): boolean {
  const last = answers.at(-1)
  if (last === undefined) return false
  if (isCut && (!last.isEnded || member.kind === 'Query')) return true
  if (!last.isEnded) return false
  if (member.outcome !== 'Succeeded') return last.result.error !== null
  const tags = answers.flatMap(({ result: { tag } }) => (tag === null ? [] : [tag]))
  const rows = answers.reduce((sum, answer) => sum + answer.rows, 0)
  return (
    answers.every(({ result }) => result.error === null) &&
    (tags.join('; ') || null) === member.commandTag &&
    (member.kind === 'Query' || rows === 0 || rows === member.rows)
  )
}

const CUT = 'only the beginning of a long answer is read'
const UNCERTAIN: Told = {
  results: [],
  note: 'it was answered together with others, and which results are its own is not certain',
}
