import type { Position, Reader } from '@countersign/log'

/** The offsets up to which the log was read, and up to which it is done and committed. */
export type Offsets = {
  read(position: Position): void
  hasRead(position: Position): boolean
  /** Forgets the partitions that somebody else reads now. */
  keepOnly(partitions: readonly number[]): void
  /** Commits everything before the first record that somebody still holds. */
  commit(reader: Reader, holders: readonly Holder[]): Promise<void>
}

/** A holder of records of a partition that are not done, with the offset of the first one in each topic. */
export type Holder = {
  readonly partition: number
  readonly firstOffsets: ReadonlyMap<string, number>
}

export function newOffsets(): Offsets {
  /** The next offset of each topic and partition that is read. */
  // bound: one per partition
  const next = new Map<string, Position>()
  // bound: one per partition
  const committed = new Map<string, number>()
  return {
    read: (position) =>
      void next.set(nameOf(position), { ...position, offset: position.offset + 1 }),
    hasRead: (position) => (next.get(nameOf(position))?.offset ?? 0) > position.offset,
    keepOnly(partitions) {
      for (const [name, { partition }] of next) {
        if (partitions.includes(partition)) continue
        next.delete(name)
        committed.delete(name)
      }
    },
    async commit(reader, holders) {
      for (const [name, position] of next) {
        const firsts = holders
          .filter(({ partition }) => partition === position.partition)
          .map(({ firstOffsets }) => firstOffsets.get(position.topic) ?? position.offset)
        const offset = Math.min(position.offset, ...firsts)
        if (offset === committed.get(name)) continue
        await reader.commit({ ...position, offset })
        committed.set(name, offset)
      }
    },
  }
}

const nameOf = ({ topic, partition }: Pick<Position, 'topic' | 'partition'>): string =>
  `${topic}/${partition}`
