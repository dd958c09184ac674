/** A peer sent what its protocol does not allow here. The engine that says so is broken and reads nothing more. */
export type Violation = {
  readonly tag: 'Violation'
  readonly reason: ViolationReason
  /** One sentence for the log and for the refusal; it never contains bytes of the peer. */
  readonly detail: string
}

export type ViolationReason = keyof typeof DETAILS

/** The violation with this reason. */
export const violation = (reason: ViolationReason): Violation => ({
  tag: 'Violation',
  reason,
  detail: DETAILS[reason],
})

const DETAILS = {
  FrameTooLarge: 'A message is larger than the limit.',
  FrameTooSmall: 'The length of a message is smaller than its own header.',
  UnknownMessage: 'A message has a type that the protocol does not have.',
  NotLegalHere: 'A message is not legal in this phase of the connection.',
  BytesBeforeAnswer: 'The client sent unencrypted bytes before it had the answer about encryption.',
  Malformed: 'The body of a message does not have the form of its type.',
  UnsupportedProtocol: 'The client does not speak version 3 of the protocol.',
} as const
