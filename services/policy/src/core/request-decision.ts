import type {
  Chain,
  Effect,
  Profile,
  RequestAllowed,
  RequestBlocked,
  RequestIntercepted,
  RequestSubject,
  ReviewRequired,
  SessionAdmitted,
} from '@countersign/contracts'
import { maskingRulesFor, resolvedChain } from '@countersign/catalog'
import type { ErrorCode, Instant } from '@countersign/kernel'
import {
  type BesideText,
  coverageKey,
  isSettledAtStart,
  type OwnRoles,
  type RelationRef,
  rendering,
  type Understanding,
} from '@countersign/statements'
import { resultFacts } from './result-facts.ts'
import type { Rules } from './admission.ts'
import type { TargetInForce } from './path-in-force.ts'
import { obligationsOf } from './obligations.ts'
import { type Question, timeOf } from './question.ts'
import { type Tags, tagsOf } from './tags.ts'
import type { Understood } from './understood.ts'
import { valueTypes } from './value-types.ts'
import { verdictOn } from './verdict.ts'

/** The answer of policy to a request. */
export type RequestDecision = RequestAllowed | RequestBlocked | ReviewRequired

/** The facts from which a decision on a request is made. */
export type RequestFacts = {
  readonly session: SessionAdmitted
  readonly target: TargetInForce
  readonly subject: RequestSubject
  readonly rules: Rules
  /** True if anything that ran in the session may have made a temporary relation. */
  readonly mayHaveTemporary: boolean
  /** The roles that the session has by itself. */
  readonly ownRoles: OwnRoles
  readonly at: Instant
  readonly understood: Understood
}

/** The facts that count beside the text: parameters with their values, and what ran before in the session. */
export const besideText = (
  { kind, parameterTypes, parameters, copyData, executes }: RequestSubject,
  { mayHaveTemporary, ownRoles }: Pick<RequestFacts, 'mayHaveTemporary' | 'ownRoles'>,
): BesideText => ({
  ...{ parameterTypes, parameters, mayHaveTemporary, ownRoles },
  copyDataBytes: copyData?.length ?? null,
  executes: executes[0] ?? null,
  isPreparation: kind === 'Prepare',
})

/**
 * Decides on one request, from its exact bytes. Yields between its pieces of work, none of which takes long, so that others
 * can be decided on meanwhile.
 */
export function* requestDecision(
  request: RequestIntercepted,
  facts: RequestFacts,
): Generator<undefined, RequestDecision> {
  const { session, target, subject, rules, at, understood } = facts
  const { understanding } = understood
  const runs = subject.kind !== 'Prepare'
  const [executed] = subject.executes
  const effects = effectsOf(understanding)
  // People and the record have to know that names in it may mean others, and that plain tables may hold masked values.
  const summary = request.namesInDoubt
    ? `${understanding.summary}, after its transaction changed the schema or copied masked values`
    : understanding.summary
  const mismatch = mismatchOf(request, facts, understanding)
  const block = (
    code: ErrorCode,
    reason: string,
    told: Partial<RequestBlocked> = {},
  ): RequestBlocked => ({
    ...blocked(request, { code, reason, rules, at }),
    targetVersion: target.targetVersion,
    effects,
    summary,
    ...told,
  })
  if (mismatch !== null) return block('CS_GRANT_MISMATCH', mismatch)
  if (understanding.tooComplex !== null)
    return block('CS_REQUEST_TOO_COMPLEX', `the statement ${understanding.tooComplex}`)
  const unknown = understanding.effects.find(({ effect }) => effect === 'unknown')
  if (unknown !== undefined) {
    const { syntaxError } = understood
    const hint = unknownHint(understanding, target)
    return block('CS_REQUEST_UNKNOWN', unknown.why, { hint, syntaxError })
  }
  // People would be shown a statement that does not run.
  if (executed !== undefined && executed.name !== understood.executes)
    return block('CS_REQUEST_UNKNOWN', 'it does not execute the statement that it seems to')

  const { profile } = session
  const tags = tagsOf(target, maskingRulesFor(rules.catalog, profile.environment))
  const tainted = tags.touchedBy(understanding)
  const questions = questionsOf(understanding, {
    ...facts,
    tags,
    tainted,
    raisedRoles: request.raisedRoles,
  })
  if (questions.length > QUESTIONS_MAX) {
    const reason = `the request has more than ${QUESTIONS_MAX} effects on tables`
    return block('CS_REQUEST_UNKNOWN', reason, { hint: 'Send it in smaller pieces.', effects: [] })
  }
  if (understanding.settings.length > SETTINGS_MAX) {
    const reason = `the request changes more than ${SETTINGS_MAX} settings`
    return block('CS_REQUEST_UNKNOWN', reason, { hint: 'Send it in smaller pieces.' })
  }
  const verdict = yield* verdictOn(questions, rules.policies)
  if (verdict.status === 'blocked') {
    return block('CS_REQUEST_BLOCKED', verdict.reason, { rules: verdict.rules, hint: verdict.hint })
  }
  const obligations = obligationsOf(verdict.answers, profile.recording)
  const chains: Chain[] = []
  for (const name of obligations.reviews) {
    const chain = resolvedChain(rules.catalog, name)
    if (!chain.ok)
      return block('CS_REQUEST_BLOCKED', `a review is required, but ${chain.error}`, {
        rules: verdict.rules,
      })
    chains.push(chain.value)
  }
  yield
  const common = {
    sessionId: request.sessionId,
    at,
    requestId: request.requestId,
    digest: request.content.digest,
    ...versionsOf(rules),
    targetVersion: target.targetVersion,
    rules: verdict.rules,
    effects,
    tainted,
    undescribed: tags.undescribedIn(understanding).map(readOf),
    ...resultFacts(understood, { tags, tainted }),
    // The statement that EXECUTE runs may be unknown: beside it nobody could say which of the two takes the data.
    takesCopyData:
      runs &&
      understanding.copy === 'in' &&
      understanding.statements.every(({ tag }) => tag !== 'EXECUTE'),
    // A preparation runs nothing, but for types that run code where the target reads literals of theirs.
    changesState: (runs || understanding.runsWhenPrepared) && understanding.stateChanging,
    stateVersion: request.stateVersion,
    recording: obligations.recording,
  }
  yield
  const holding = chains.find(({ holdsCopyData }) => holdsCopyData)
  if (holding !== undefined && runs && understanding.copy === 'in' && subject.copyData === null)
    return block('CS_COPY_DATA_NEEDED', `the chain ${holding.name} sees the data of a COPY`, {
      rules: verdict.rules,
    })
  // PostgreSQL reads literals of such types (which run code) when it prepares, so nothing would be left to decide.
  if (chains.length > 0 && !runs && understanding.runsWhenPrepared)
    return block(
      'CS_REQUEST_BLOCKED',
      'preparing the statement may already run code of the target',
      {
        rules: verdict.rules,
        hint: 'Send it as one simple query, without preparing it.',
      },
    )
  // People decide on the execution, which has the parameters, and not on the preparation.
  if (chains.length > 0 && runs) {
    const { identity } = session
    const asker =
      identity.behalfOf === null ? identity.agent : `${identity.agent}, for ${identity.behalfOf},`
    return {
      type: 'ReviewRequired',
      ...common,
      summary: `${asker} wants to run a statement that ${summary}, in ${profile.environment}`,
      identity,
      profile: profile.name,
      environment: profile.environment,
      rendering: [subject.text, ...subject.executes.map(({ text }) => text)]
        .map(rendering)
        .join(' -- of '),
      chains,
      raise: raisedFor(profile, effects),
      runsWhenPrepared: understanding.runsWhenPrepared,
      readsTime: rules.policies.readsTime,
      valueTypes: valueTypes(target, [...subject.parameterTypes, ...subject.valueTypes]),
      createsCode: understanding.createsCode,
      interceptedAt: request.at,
    }
  }
  if (chains.length === 0 && tainted && understanding.movesData) {
    const reason = 'the statement moves masked columns to where masking does not see them'
    return block('CS_REQUEST_BLOCKED', reason, {
      rules: verdict.rules,
      hint: 'Leave the masked columns out.',
    })
  }
  if (chains.length === 0 && request.namesInDoubt && understanding.movesData) {
    const reason =
      'after what the transaction did before, names may mean others or tables may hold masked values, and the statement could move these to where masking does not see them'
    return block('CS_REQUEST_BLOCKED', reason, {
      rules: verdict.rules,
      hint: 'End the transaction first, with COMMIT, and send it in the next one.',
    })
  }
  // A permit for a request with a raised privilege says nothing about later requests without it.
  const isRaised = request.raisedRoles.length > 0
  // After a change of the schema the broker describes the target anew, but it does not hear of covered requests.
  const changesSchema = understanding.effects.some(({ effect }) => effect === 'schema-change')
  const coverable =
    chains.length === 0 &&
    !isRaised &&
    !understanding.stateChanging &&
    !changesSchema &&
    !rules.policies.readsTime &&
    // The name of a prepared statement may stand for another statement later.
    executed === undefined
  const coverage = coverable ? obligations.coverage : 'None'
  const key = coverage === 'None' ? null : coverageKey(coverage, subject)
  return {
    type: 'RequestAllowed',
    ...common,
    summary,
    coverage: key === null ? 'None' : coverage,
    coverageKey: key,
  }
}

/** The block of a request that was not looked at: nothing but the request itself is known. */
export const blocked = (
  request: RequestIntercepted,
  { rules, ...told }: Pick<RequestBlocked, 'reason' | 'at'> & { code: ErrorCode; rules: Rules },
): RequestBlocked => ({
  type: 'RequestBlocked',
  sessionId: request.sessionId,
  requestId: request.requestId,
  digest: request.content.digest,
  targetVersion: '',
  rules: [],
  effects: [],
  summary: 'was not looked at',
  hint: null,
  syntaxError: null,
  ...versionsOf(rules),
  ...told,
})

/** The versions of the rules that a decision is made by, for whoever looks at it later. */
const versionsOf = ({ policies, catalogOffset }: Rules) => ({
  policyVersion: policies.version,
  catalogOffset,
})

/** The reason why the content is not of this request of this session; null when it is. */
function mismatchOf(
  request: RequestIntercepted,
  { subject, session }: RequestFacts,
  understanding: Understanding,
): string | null {
  const { identity, profile } = session
  if (subject.copyData !== null && understanding.copy !== 'in')
    return 'the content has data for a statement that takes none'
  const pairs: readonly [string, unknown, unknown][] = [
    ['session', subject.sessionId, request.sessionId],
    ['agent', subject.agent, identity.agent],
    ['target', subject.target, profile.name],
    ['base roles', [...subject.baseRoles].sort().join(), [...profile.baseRoles].sort().join()],
    ['kind', subject.kind, request.content.kind],
    ['state version', subject.stateVersion, request.stateVersion],
  ]
  const different = pairs.find(([, said, is]) => said !== is)
  return different === undefined
    ? null
    : `the content names another ${different[0]} than the request`
}

type Asked = RequestFacts & {
  readonly tags: Tags
  readonly tainted: boolean
  readonly raisedRoles: readonly string[]
}

function questionsOf(
  understanding: Understanding,
  { session, at, tags, tainted, raisedRoles }: Asked,
): Question[] {
  const { identity, profile } = session
  const common = {
    identity: { agent: identity.agent, behalfOf: identity.behalfOf, groups: identity.groups },
    profile: { name: profile.name, environment: profile.environment },
    time: timeOf(at),
    raisedRoles: [...raisedRoles].sort(),
    statement: {
      count: understanding.statements.length,
      movesData: understanding.movesData,
      touchesTagged: tainted,
      changesState: understanding.stateChanging,
      createsCode: understanding.createsCode,
      unbounded: understanding.unbounded.length > 0,
      settings: understanding.settings,
    },
  }
  // A statement that touches nothing, such as SELECT 1, counts as a read of the target.
  if (understanding.effects.length === 0) return [{ ...common, action: 'read', table: null }]
  return understanding.effects.map(({ effect, relation }) => ({
    ...common,
    action: effect,
    table:
      relation === null
        ? null
        : {
            schema: relation.schema ?? '',
            name: relation.name,
            tags: WRITES.has(effect) ? tags.ofWritten(relation) : tags.ofRelation(relation),
          },
  }))
}

const effectsOf = (understanding: Understanding): Effect[] =>
  understanding.effects.slice(0, QUESTIONS_MAX).map(({ effect, relation }) => ({
    effect,
    schema: relation?.schema ?? null,
    table: relation?.name ?? null,
  }))

const readOf = ({ schema, name }: RelationRef): Effect => ({ effect: 'read', schema, table: name })

/**
 * The roles that an approved request is lent; a delete is lent those of a write, unless the profile has others for it.
 */
function raisedFor(profile: Profile, effects: readonly Effect[]): string[] {
  const rolesOf = (effect: string) =>
    profile.raised.find((raised) => raised.effect === effect)?.roles
  const roles = effects.flatMap(
    ({ effect }) => rolesOf(effect) ?? (effect === 'delete' ? rolesOf('write') : []) ?? [],
  )
  return [...new Set(roles)].sort()
}

/** Effects on rows, which may be those of another relation than the statement names. */
const WRITES: ReadonlySet<string> = new Set(['write', 'delete'])
const QUESTIONS_MAX = 64
function unknownHint({ changesNames, settings }: Understanding, target: TargetInForce): string {
  if (changesNames) return namesHint(target)
  if (settings.includes('client_encoding')) return ENCODING_HINT
  const settled = settings.find(isSettledAtStart)
  return settled === undefined
    ? UNKNOWN_HINT
    : `Leave ${settled} as it is: statements are decided on as they are read under it.`
}

/** They stand in each question. */
const SETTINGS_MAX = 200
/** The hint after a change of names: they are looked up along the path in force, so a session has only known paths. */
function namesHint({ pathRules: { own, others } }: TargetInForce): string {
  const also = others.slice(0, PATHS_SHOWN_MAX).map((path) => path.join(', '))
  const shown = [own.join(', '), ...also, 'empty'].filter((path) => path !== '')
  return `Write names with their schema, or send the change of the search_path by itself; it can only be ${shown.join(' or ')}.`
}
const PATHS_SHOWN_MAX = 10
const ENCODING_HINT =
  'Only UTF8 is possible: leave client_encoding at it, also with SET NAMES, and convert what is read in the client.'
const UNKNOWN_HINT = 'Write it as plain statements whose effects can be seen beforehand.'
