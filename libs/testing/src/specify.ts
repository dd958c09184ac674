import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Decider, folded } from '@countersign/kernel'

/** An example of a decider: after this history, this order gives these events. */
export type Example<Command, Event> = {
  readonly given: readonly Event[]
  readonly when: Command
  readonly then: readonly Event[]
}

/** Runs a table of examples; the name of each is the rule that it shows, as a sentence. */
export function specify<State, Command, Event>(
  decider: Decider<State, Command, Event>,
  examples: Readonly<Record<string, Example<Command, Event>>>,
): void {
  describe('decides that', () => {
    for (const [rule, { given, when, then }] of Object.entries(examples)) {
      it(rule, () => {
        assert.deepEqual(decider.decide(when, folded(decider, given)), then)
      })
    }
  })
}
