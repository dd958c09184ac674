import type { AnyMessage } from '@countersign/contracts'
import { after, type ErrorCode, Problem } from '@countersign/kernel'
import type { Understood } from '@countersign/log'

/** The messages of other services about one session, sorted by the question that they answer. */
export type Mailbox = {
  /** Makes room for the answers to something that is about to be asked. */
  expect(name: string): void
  /** The next answer, or `code` when none comes within the limit. */
  next(name: string, limitMs: number, code: ErrorCode): Promise<Understood>
  /** No answer is expected any more; a wait for it never ends, and keeps no timer. */
  forget(name: string): void
  /** No answer at all is expected any more. */
  close(): void
  deliver(record: Understood): void
  /** Calls the listener when policy gives up a session that it admitted, at once where it has already. */
  whenRejected(listener: (words: string) => void): void
}

/** Opens a mailbox. `onState` gets messages that answer nothing: revocations, new descriptions of the target, plans. */
export function openMailbox(onState: (record: Understood) => void): Mailbox {
  type Slot = { queue: Understood[]; wake: (() => void) | null; late: Disposable | null }
  // bound: REQUESTS_MAX, and a few for the session itself
  const slots = new Map<string, Slot>()
  const rejection = Promise.withResolvers<string>()
  let isAdmitted = false
  const expect = (name: string): void => {
    // Answers that came already are not lost.
    if (!slots.has(name)) slots.set(name, { queue: [], wake: null, late: null })
  }
  const forget = (name: string): void => {
    slots.get(name)?.late?.[Symbol.dispose]()
    slots.delete(name)
  }
  return {
    whenRejected: (listener) => {
      rejection.promise.then(listener).catch(rejection.reject)
    },
    expect,
    forget,
    close: () => [...slots.keys()].forEach(forget),
    async next(name, limitMs, code) {
      const slot = slots.get(name)
      if (slot === undefined) throw new Problem('CS_INTERNAL', `nothing is expected as ${name}`)
      const ready = slot.queue.shift()
      if (ready !== undefined) return ready
      return new Promise((resolve, reject) => {
        slot.late?.[Symbol.dispose]()
        slot.late = after(limitMs, () => {
          slot.wake = null
          reject(
            new Problem(code, LATE[code] ?? `${name} did not come in time`, {
              retriable: true,
              hint: RETRY,
            }),
          )
        })
        slot.wake = () => {
          const record = slot.queue.shift()
          if (record === undefined) return
          slot.late?.[Symbol.dispose]()
          slot.wake = null
          resolve(record)
        }
      })
    },
    deliver(record) {
      const { message } = record
      const name = answerName(message)
      if (message.type === 'SessionAdmitted') isAdmitted = true
      if (message.type === 'SessionRejected' && isAdmitted) return rejection.resolve(message.reason)
      if (name === null) return onState(record)
      const slot = slots.get(name)
      if (slot === undefined) return
      // The broker may lower it in the same breath, before anybody has read that it is raised.
      if (message.type === 'PrivilegeRaised') expect(`lower/${message.raiseId}`)
      slot.queue.push(record)
      slot.wake?.()
    },
  }
}

/** The name of the question that a message answers; null when it changes the state of the session. */
export function answerName(message: AnyMessage): string | null {
  switch (message.type) {
    case 'SessionAdmitted':
    case 'SessionRejected':
      return 'admission'
    case 'CredentialIssued':
      return 'credential'
    case 'CredentialFailed':
      return message.requestId === null ? 'credential' : `raise/${message.requestId}`
    case 'PrivilegeRaised':
      return `raise/${message.requestId}`
    case 'PrivilegeLowered':
      return `lower/${message.raiseId}`
    case 'RequestAllowed':
    case 'RequestBlocked':
    case 'ReviewRequired':
      return `decision/${message.requestId}`
    case 'ApprovalRequested':
    case 'Countersigned':
    case 'CountersignatureRefused':
    case 'ApprovalDenied':
    case 'ApprovalGranted':
    case 'ApprovalExpired':
    case 'ApprovalWithdrawn':
    case 'ApprovalSuperseded':
      return `approval/${message.requestId}`
    default:
      return null
  }
}

const LATE: Readonly<Partial<Record<ErrorCode, string>>> = {
  CS_POLICY_UNAVAILABLE: 'the policy service did not answer in time',
  CS_APPROVAL_UNAVAILABLE: 'the approval service did not answer in time',
  CS_BROKER_UNAVAILABLE: 'the credential broker did not answer in time',
  CS_MASKING_UNAVAILABLE: 'the masking service did not plan in time',
}

const RETRY = 'Nothing was forwarded. Try again; if it goes on, that service is missing.'
