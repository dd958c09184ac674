// The conversations of `../support/random-conversation.ts`, of new seeds each time. A failure names its seed.
import { test } from 'node:test'
import { arena } from '../support/arena.ts'
import { conversationsAgree, prepareConversations } from '../support/random-conversation.ts'

const system = await arena('conversations')
await prepareConversations(system)

test('random conversations are answered as by PostgreSQL itself', () =>
  conversationsAgree(system, { numRuns: Number(process.env['CONVERSATIONS'] ?? 500) }))
