import type { Stage } from '@countersign/contracts'
import type { Signer } from './state.ts'

/** True if a stage has the countersignatures that it needs. Each signer is another person. */
export function isComplete(stage: Stage, signers: readonly Signer[]): boolean {
  switch (stage.mode) {
    case 'Any':
      return signers.length >= 1
    case 'Quorum':
      return signers.length >= Math.max(1, stage.quorum)
    case 'All':
      return signers.length >= Math.max(1, stage.quorum) && everyGroupSigned(stage.groups, signers)
  }
}

/** True if every group can be given a signer of its own: a person in two groups is still one person. */
function everyGroupSigned(groups: readonly string[], signers: readonly Signer[]): boolean {
  // bound: as long as one count
  const groupOf = new Map<Signer, string>()
  // An augmenting path: a signer may move to another group to make room (Kuhn's matching).
  const place = (group: string, tried: Set<Signer>): boolean =>
    signers.some((signer) => {
      if (tried.has(signer) || !signer.groups.includes(group)) return false
      tried.add(signer)
      const held = groupOf.get(signer)
      if (held !== undefined && !place(held, tried)) return false
      groupOf.set(signer, group)
      return true
    })
  return [...new Set(groups)].every((group) => place(group, new Set()))
}
