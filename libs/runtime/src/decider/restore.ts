import { cite, isCited, newPartition, type Partition, type Undecided } from './partition.ts'
import type { Running } from './running.ts'

/**
 * Makes the partitions match the assignment. A new one first folds our own output, which shows what was decided already;
 * then its inputs are delivered, and it is restored when they reach the ends that they have now. A record of our own output
 * that is unreadable, or cannot be folded, is settled like such an input: put aside, and its session ended. Gives the new
 * partitions.
 */
export async function restore<State>(
  { log, service }: Running<State>,
  partitions: Map<number, Partition<State>>,
  wanted: { readonly assigned: readonly number[]; readonly inputs: readonly string[] },
): Promise<Partition<State>[]> {
  const { assigned, inputs } = wanted
  for (const number of partitions.keys()) if (!assigned.includes(number)) partitions.delete(number)
  const fresh = assigned
    .filter((number) => !partitions.has(number))
    .map((number) => newPartition(number, service.newState(number)))
  for (const partition of fresh) partitions.set(partition.number, partition)
  if (fresh.length === 0) return []
  // bound: as long as one restart
  const unfolded: Undecided[] = []
  for (const topic of service.topology.writes) {
    await log.readToEnd({
      topic,
      partitions: fresh.map(({ number }) => number),
      onRecord: (record) => {
        if (record.status === 'unreadable') unfolded.push({ record, fault: null })
        const partition = partitions.get(record.position.partition)
        if (partition === undefined || record.status !== 'understood') return
        try {
          service.apply(partition.state, record)
        } catch (thrown) {
          unfolded.push({ record, fault: { thrown } })
        }
        if (record.causation !== null) cite(partition, record.causation, record.key)
      },
    })
  }
  for (const one of unfolded) {
    const partition = partitions.get(one.record.position.partition)
    if (partition !== undefined && !isCited(partition, one.record)) partition.undecided.push(one)
  }
  for (const topic of inputs) {
    const ends = await log.endOffsets(topic)
    for (const { number, until } of fresh) until.set(topic, ends.get(number) ?? 0)
  }
  return fresh
}
