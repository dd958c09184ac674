import type { ApprovalRequested, Chain, Countersigned, Stage } from '@countersign/contracts'
import { afterMs, type Instant } from '@countersign/kernel'
import type { Pending, Progress } from './state.ts'

/** A chain of a pending approval with the stage that it waits for. */
export type Open = { readonly chain: Chain; readonly stage: Stage; readonly progress: Progress }

/** The chains that still wait, each with its current stage. */
export const openStages = (pending: Pending): readonly Open[] =>
  pending.progress.flatMap((progress): Open[] => {
    const chain = pending.requested.chains.find(({ name }) => name === progress.chain)
    const stage = chain?.stages[progress.stage]
    return chain === undefined || stage === undefined ? [] : [{ chain, stage, progress }]
  })

/** True if every chain has granted. */
export const isGranted = (pending: Pending): boolean =>
  pending.progress.length > 0 && openStages(pending).length === 0

/** The earliest deadline of the current stages; null when none waits. */
export function deadlineOf(pending: Pending): Instant | null {
  const deadlines = pending.progress.flatMap(({ deadline }) =>
    deadline === null ? [] : [deadline],
  )
  return deadlines.reduce<Instant | null>(
    (first, one) => (first === null || one < first ? one : first),
    null,
  )
}

/** The state after the approval was requested. */
export const begun = (requested: ApprovalRequested): Pending => ({
  status: 'pending',
  requested,
  progress: requested.chains.map((chain) => ({
    chain: chain.name,
    stage: 0,
    deadline: stageDeadline(chain, 0, requested.at),
    signers: [],
    earlier: [],
  })),
})

/** The state after one more countersignature. */
export const countersigned = (pending: Pending, event: Countersigned): Pending => ({
  ...pending,
  progress: pending.progress.map((progress) =>
    progress.chain === event.chain ? advanced(progress, event) : progress,
  ),
})

/** The deadline of a stage that begins at `from`; null when the chain has no such stage. */
export function stageDeadline(chain: Chain, index: number, from: Instant): Instant | null {
  const stage = chain.stages[index]
  return stage === undefined ? null : afterMs(from, stage.deadlineMs)
}

function advanced(progress: Progress, event: Countersigned): Progress {
  const signers = [...progress.signers, { by: event.by, groups: event.groups }]
  if (!event.stageComplete) return { ...progress, signers }
  return {
    chain: progress.chain,
    stage: progress.stage + 1,
    deadline: event.deadline,
    signers: [],
    earlier: [...progress.earlier, ...signers.map(({ by }) => by)],
  }
}
