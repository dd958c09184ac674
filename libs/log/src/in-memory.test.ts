import { inMemoryLog } from './in-memory.ts'
import { logContract } from './log.contract.ts'

logContract('in memory', async () => {
  const log = inMemoryLog({ partitions: 4 })
  let topics = 0
  return {
    connect: async () => log.connect(),
    topic: async (recordBytesMax) => {
      const name = `test-${topics++}.sessions`
      if (recordBytesMax !== undefined) log.limitRecords(name, recordBytesMax)
      return name
    },
    put: async ({ topic, partition, key, headers, value }) => {
      log.appendRaw(topic, partition, key, headers, value)
    },
    publish: async (schemas) => void (await log.append(schemas)),
    freeze: async () => log.freeze(),
    thaw: async () => log.thaw(),
    [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
  }
})
