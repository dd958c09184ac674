import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, netOn } from '@countersign/runtime'
import { searchTurns } from './search-turns.ts'

const NET = netOn(createLogger('proxy', 'silent'))

// Seen to fail when `turn` wakes everybody who waits: the first one of each turn takes all of it.
test('sessions that search without end take turns, and between two of them the loop sees to everything else', async () => {
  const turns = searchTurns(NET, 100)
  const order: string[] = []
  let rounds = 0
  let isDone = false
  const others = (): void => {
    rounds++
    if (!isDone) setImmediate(others)
  }
  setImmediate(others)
  const searches = async (name: string): Promise<void> => {
    for (let pieces = 0; pieces < 30; pieces++) {
      turns.searched(40)
      order.push(name)
      if (turns.isOver()) await turns.next()
    }
  }
  await Promise.all(['a', 'b', 'c'].map(searches))
  isDone = true
  const first = order.slice(0, 45)
  for (const name of ['a', 'b', 'c'])
    assert.ok(first.filter((one) => one === name).length >= 12, first.join(''))
  assert.ok(rounds >= 25, `${rounds} rounds`)
})
