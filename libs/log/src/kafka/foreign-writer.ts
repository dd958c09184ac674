import kafkajs from 'kafkajs'

/** A record that no service of ours would write. For tests only: services must survive it. */
export type ForeignRecord = {
  topic: string
  key: string
  headers: Readonly<Record<string, string>>
  value: Buffer
}

/** Writes a record into Kafka as a user who has the right to; gives its place. */
export async function writeForeign(
  login: { brokers: string; username: string; password: string },
  { topic, ...message }: ForeignRecord,
): Promise<{ partition: number; offset: number }> {
  const { brokers, username, password } = login
  const producer = new kafkajs.Kafka({
    clientId: username,
    brokers: [brokers],
    sasl: { mechanism: 'plain', username, password },
    logLevel: kafkajs.logLevel.NOTHING,
  }).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  try {
    const [written] = await producer.send({ topic, messages: [message] })
    if (written === undefined) throw new Error('nothing was written')
    return { partition: written.partition, offset: Number(written.baseOffset) }
  } finally {
    await producer.disconnect()
  }
}
