import kafkajs, { type PartitionAssigner } from 'kafkajs'

/** Gives partition p of every topic to the same member, so that the state of a session is in one place. */
export const coPartitioned: PartitionAssigner = ({ cluster }) => ({
  name: 'countersign-co-partitioned',
  version: 1,
  protocol: ({ topics }) => ({
    name: 'countersign-co-partitioned',
    metadata: AssignerProtocol.MemberMetadata.encode({
      version: 1,
      topics,
      userData: Buffer.alloc(0),
    }),
  }),
  assign: async ({ members, topics }) => {
    const ids = members.map(({ memberId }) => memberId).sort()
    return ids.map((memberId, index) => ({
      memberId,
      memberAssignment: assignment(
        cluster,
        topics,
        (partition) => partition % ids.length === index,
      ),
    }))
  },
})

/** Gives the only member of a group the partitions it asked for: kafkajs cannot assign without a group. */
export const only =
  (partitions: readonly number[] | undefined): PartitionAssigner =>
  ({ cluster }) => ({
    name: 'countersign-only',
    version: 1,
    protocol: ({ topics }) => ({
      name: 'countersign-only',
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: 1,
        topics,
        userData: Buffer.alloc(0),
      }),
    }),
    assign: async ({ members, topics }) =>
      members.slice(0, 1).map(({ memberId }) => ({
        memberId,
        memberAssignment: assignment(
          cluster,
          topics,
          (partition) => partitions?.includes(partition) ?? true,
        ),
      })),
  })

type Cluster = Parameters<PartitionAssigner>[0]['cluster']

function assignment(
  cluster: Cluster,
  topics: readonly string[],
  isTaken: (partition: number) => boolean,
): Buffer {
  const taken: Record<string, number[]> = {}
  for (const topic of topics) {
    taken[topic] = cluster
      .findTopicPartitionMetadata(topic)
      .map(({ partitionId }) => partitionId)
      .filter(isTaken)
  }
  return AssignerProtocol.MemberAssignment.encode({
    version: 1,
    assignment: taken,
    userData: Buffer.alloc(0),
  })
}

const { AssignerProtocol } = kafkajs
