import type { LogRecord, Position, Understood } from '@countersign/log'

/** A partition that this process decides on. */
export type Partition<State> = {
  readonly number: number
  readonly state: State
  restored: boolean
  /** The next offset of each input. */
  readonly delivered: Map<string, number>
  /** The end of each input at the time when the partition was assigned. */
  readonly until: Map<string, number>
  /** The highest input offset that the own output cites, for each input and key. Only while restoring. */
  readonly cited: Map<string, number>
  undecided: Undecided[]
  /** The last work under way for each key; the next one waits for it. */
  readonly chains: Map<string, Promise<void>>
  /** Records that wait for another record of their key. */
  readonly parked: Map<string, Understood[]>
}

/** A record to decide on when the partition is restored, and what was thrown when it was folded. */
export type Undecided = { readonly record: LogRecord; readonly fault: Fault | null }

/** Anything that was thrown. */
export type Fault = { readonly thrown: unknown }

export const newPartition = <State>(number: number, state: State): Partition<State> => ({
  number,
  state,
  restored: false,
  // bound: one per input
  delivered: new Map(),
  // bound: one per input
  until: new Map(),
  // bound: as long as one restart
  cited: new Map(),
  undecided: [],
  // bound: UNDER_WAY_MAX
  chains: new Map(),
  // bound: PARKED_MAX of each key that has something to wait for
  parked: new Map(),
})

/** Notes that a record was delivered; false where it had been delivered before. */
export function delivered<State>(
  partition: Partition<State>,
  { topic, offset }: Position,
): boolean {
  if (offset < (partition.delivered.get(topic) ?? 0)) return false
  partition.delivered.set(topic, offset + 1)
  return true
}

/** Notes that everything before this position was delivered, or does not concern the service. */
export function passed<State>(partition: Partition<State>, { topic, offset }: Position): void {
  partition.delivered.set(topic, Math.max(offset, partition.delivered.get(topic) ?? 0))
}

/** True if everything was delivered that stood in the inputs when the partition was assigned. */
export function hasCaughtUp<State>(partition: Partition<State>): boolean {
  for (const [topic, end] of partition.until)
    if ((partition.delivered.get(topic) ?? 0) < end) return false
  return true
}

/** Notes that the own output holds the consequences of this input. */
export function cite<State>(partition: Partition<State>, cause: Position, key: string): void {
  const name = `${cause.topic}/${key}`
  partition.cited.set(name, Math.max(partition.cited.get(name) ?? -1, cause.offset))
}

/** True if the record was decided on before the restart. */
export function isCited<State>(partition: Partition<State>, record: LogRecord): boolean {
  const { position, key } = record
  return position.offset <= (partition.cited.get(`${position.topic}/${key}`) ?? -1)
}
