import type { EventId } from '@countersign/kernel'
import {
  consequenceId,
  type Draft,
  draftOf,
  type Position,
  type Recorded,
  type Understood,
} from '@countersign/log'
import { appendUntilDone } from '../append-until-done.ts'
import type { Consequence } from './decider-service.ts'
import type { Partition } from './partition.ts'
import type { Running } from './running.ts'

/** The cause of a decision: its key, the id that the ids of the consequences are computed from, and its position. */
export type Cause = { key: string; cause: EventId; causation: Position | null }

/** Appends the consequences of a decision and folds them. */
export async function follow<State>(
  running: Running<State>,
  partition: Partition<State>,
  decision: readonly Consequence[],
  by: Cause,
): Promise<void> {
  if (decision.length === 0) return
  const drafts = decision.map((consequence, index) =>
    draftOf(consequence.message, {
      id: consequenceId(by.cause, consequence.message.type, index),
      key: consequence.key ?? by.key,
      partition: partition.number,
      causation: by.causation,
    }),
  )
  const written = await appendUntilDone(running, drafts)
  written.forEach((recorded, index) => {
    const draft = drafts[index]
    if (draft !== undefined) running.service.apply(partition.state, asRecord(draft, recorded))
  })
}

function asRecord(draft: Draft, recorded: Recorded): Understood {
  return {
    status: 'understood',
    id: draft.id,
    source: '',
    message: draft.message,
    fingerprint: draft.fingerprint,
    value: draft.value,
    causation: draft.causation,
    position: recorded.position,
    key: draft.key,
    timestampMs: 0,
    trace: null,
    headers: {},
  }
}
