import type { Chain } from '@countersign/contracts'
import { afterMs, type Instant, isoOf } from '@countersign/kernel'
import type { HeldRequest } from './held-request.ts'

/** A request as the API shows it. */
export type RequestView = ReturnType<typeof requestView>

/** A stage of a chain: its progress, the people who signed it, and the groups that can. */
export type StageView = {
  name: string
  status: 'complete' | 'current' | 'next'
  mode: string
  quorum: number
  reviewers: string
  groups: readonly string[]
  signers: readonly string[]
}

/** Writes a request out for people. */
export function requestView(request: HeldRequest) {
  const { requested, status, endedAt } = request
  const deadline = firstEndOf(request)
  return {
    requestId: requested.requestId,
    sessionId: requested.sessionId,
    approvalId: requested.approvalId,
    status,
    agent: requested.requester.agent,
    behalfOf: requested.requester.behalfOf,
    profile: requested.profile,
    environment: requested.environment,
    summary: requested.summary,
    rendering: requested.rendering,
    effects: requested.effects,
    raise: requested.raise,
    valueTypes: requested.valueTypes,
    digest: requested.digest,
    policyVersion: requested.policyVersion,
    chains: requested.chains.map((chain) => ({
      name: chain.name,
      complete: stageIndex(request, chain) >= chain.stages.length,
      stages: stageViews(request, chain),
    })),
    signedBy: [...new Set(request.signatures.map(({ by }) => by))],
    requestedAt: isoOf(requested.at),
    deadline: iso(status === 'pending' ? (deadline?.endsAt ?? null) : null),
    /** The name of that which ends the hold at `deadline`: `deadline` for a stage, or the name of a limit. */
    deadlineOf: status === 'pending' ? (deadline?.name ?? null) : null,
    endedAt: iso(endedAt),
    endedBy: request.endedBy,
    words: request.words,
  }
}

/** True if every chain has all its countersignatures. */
export const isFullySigned = (request: HeldRequest): boolean =>
  request.requested.chains.every((chain) => stageIndex(request, chain) >= chain.stages.length)

function stageViews(request: HeldRequest, chain: Chain): readonly StageView[] {
  const current = stageIndex(request, chain)
  let seen = 0
  const signers: string[][] = chain.stages.map(() => [])
  for (const signature of signaturesOf(request, chain)) {
    signers[seen]?.push(signature.by)
    if (signature.stageComplete) seen++
  }
  return chain.stages.map((stage, index) => ({
    name: stage.name,
    status: index < current ? 'complete' : index === current ? 'current' : 'next',
    mode: stage.mode,
    quorum: stage.quorum,
    reviewers: stage.reviewers,
    groups: stage.groups,
    signers: signers[index] ?? [],
  }))
}

/** The earliest end of the hold: the deadline of a stage, or another limit. */
function firstEndOf(request: HeldRequest): { endsAt: Instant; name: string } | null {
  const stage = deadlineOf(request)
  const { limit } = request
  if (stage === null) return limit
  return limit !== null && limit.endsAt < stage ? limit : { endsAt: stage, name: 'deadline' }
}

/** The earliest deadline of the stages that wait. */
function deadlineOf(request: HeldRequest): Instant | null {
  const deadlines = request.requested.chains.flatMap((chain) => {
    const first = chain.stages[0]
    const last = signaturesOf(request, chain).findLast(({ stageComplete }) => stageComplete)
    if (last !== undefined) return last.deadline === null ? [] : [last.deadline]
    return first === undefined ? [] : [afterMs(request.requested.at, first.deadlineMs)]
  })
  return deadlines.sort((a, b) => a - b)[0] ?? null
}

const stageIndex = (request: HeldRequest, chain: Chain): number =>
  signaturesOf(request, chain).filter(({ stageComplete }) => stageComplete).length

const signaturesOf = (request: HeldRequest, chain: Chain) =>
  request.signatures.filter((signature) => signature.chain === chain.name)

const iso = (instant: Instant | null): string | null => (instant === null ? null : isoOf(instant))
