// The conversations of `../support/random-conversation.ts`: the same each time, or new ones with CONVERSATIONS_SEED=new. A
// failure names its seed.
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { conversationsAgree, prepareConversations } from '../support/random-conversation.ts'

const system = await arena('conversations')
await prepareConversations(system)

const seed = process.env['CONVERSATIONS_SEED'] ?? '792551263'

test('random conversations are answered as by PostgreSQL itself', () =>
  conversationsAgree(system, {
    numRuns: Number(process.env['CONVERSATIONS'] ?? 500),
    ...(seed === 'new' ? {} : { seed: Number(seed) }),
  }))
