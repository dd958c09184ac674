// Seen to fail when `deliver` drops a SessionRejected that nobody listens for yet, when `lower/…` is expected by nobody before
// it comes, and when `forget` leaves the timer of `next`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyMessage } from '@countersign/contracts'
import type { Understood } from '@countersign/log'
import { openMailbox } from './mailbox.ts'

/** Only the message counts here. */
const record = (message: Partial<AnyMessage>): Understood => ({ message }) as Understood

test('a session that policy gives up right after it admitted it hears so, whoever listens when', async () => {
  for (const listensAt of [0, 1, 2, 3]) {
    const mailbox = openMailbox(() => undefined)
    const heard: string[] = []
    const steps = [
      () => mailbox.expect('admission'),
      () => mailbox.deliver(record({ type: 'SessionAdmitted' })),
      () => mailbox.deliver(record({ type: 'SessionRejected', reason: 'given up' })),
      () => mailbox.forget('admission'),
    ]
    for (const [index, step] of steps.entries()) {
      if (index === listensAt) mailbox.whenRejected((words) => heard.push(words))
      step()
    }
    await Promise.resolve()
    assert.deepEqual(heard, ['given up'])
  }
})

test('a session that policy rejects at once hears it as its admission', async () => {
  const mailbox = openMailbox(() => undefined)
  mailbox.expect('admission')
  mailbox.deliver(record({ type: 'SessionRejected', reason: 'no' }))
  const answer = await mailbox.next('admission', 1_000, 'CS_POLICY_UNAVAILABLE')
  assert.equal(answer.message.type, 'SessionRejected')
})

test('a privilege that is lowered before anybody read that it is raised is lowered', async () => {
  const mailbox = openMailbox(() => undefined)
  mailbox.expect('raise/r')
  const raised = { type: 'PrivilegeRaised', requestId: 'r', raiseId: 'i' } as Partial<AnyMessage>
  mailbox.deliver(record(raised))
  mailbox.deliver(record({ type: 'PrivilegeLowered', raiseId: 'i' } as Partial<AnyMessage>))
  mailbox.expect('lower/i')
  const answer = await mailbox.next('lower/i', 1_000, 'CS_BROKER_UNAVAILABLE')
  assert.equal(answer.message.type, 'PrivilegeLowered')
})

test('an answer with a deadline of years is waited for, and not given up after 24.8 days', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const mailbox = openMailbox(() => undefined)
  mailbox.expect('approval/r')
  const answer = mailbox.next('approval/r', 400 * DAY_MS, 'CS_APPROVAL_UNAVAILABLE')
  for (let day = 0; day < 300; day++) context.mock.timers.tick(DAY_MS)
  mailbox.deliver(record({ type: 'ApprovalGranted', requestId: 'r' } as Partial<AnyMessage>))
  assert.equal((await answer).message.type, 'ApprovalGranted')
})

test('an answer that is waited for no more leaves no timer', async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const mailbox = openMailbox(() => undefined)
  const wait = (name: string): void => {
    mailbox.expect(name)
    void mailbox.next(name, DAY_MS, 'CS_APPROVAL_UNAVAILABLE')
  }
  wait('approval/a')
  wait('lower/b')
  assert.equal(timers(), before + 2)
  mailbox.forget('approval/a')
  const forgotten = timers()
  mailbox.close()
  assert.deepEqual([forgotten, timers()], [before + 1, before])
})

const DAY_MS = 86_400_000
