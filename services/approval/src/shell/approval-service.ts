import type { Caller, ReviewsMessage } from '@countersign/contracts'
import { type Clock, sha256 } from '@countersign/kernel'
import type { Consequence, DeciderService } from '@countersign/runtime'
import type { ApprovalCommand, Voter } from '../core/command.ts'
import { oneOf } from '@countersign/contracts'
import { CATALOG, SESSIONS, topology } from '../topology.ts'
import { decided, order } from './decided.ts'
import type { Rules } from './rules.ts'
import { approvalOf, fold, isGone, noSessions, pendingOf, type Sessions } from './sessions.ts'
import { supersession } from './sweep.ts'
import type { VoterReader } from './voter.ts'

export type ApprovalParts = { clock: Clock; rules: Rules; readVoter: VoterReader }

/** The approval service: derives the approval events that follow from each record that it reads. */
export function approvalService({
  clock,
  rules,
  readVoter,
}: ApprovalParts): DeciderService<Sessions> {
  return {
    topology,
    globals: [CATALOG],
    unhurried: [SESSIONS],
    newState: noSessions,
    applyGlobal: ({ message }) => rules.apply(message),
    apply: (sessions, record) => {
      if (record.status === 'understood') fold(sessions, record.message)
    },
    decide: async (sessions, { message, id }) => {
      if (!isInput(message)) return []
      switch (message.type) {
        case 'ReviewRequired':
          if (isGone(sessions, message.sessionId, message.requestId)) return []
          return decided(sessions, {
            type: 'RequestApproval',
            ...order(message, clock),
            review: message,
            decisionId: id,
            nonce: sha256('countersign/nonce/1', id),
          })
        case 'Countersign':
        case 'Deny':
        case 'Withdraw':
          return voted(sessions, message, voterOf(message, await readVoter(message)))
        case 'RequestHeld':
          return decided(sessions, {
            type: 'LimitHold',
            ...order(message, clock),
            endsAt: message.endsAt,
            limit: message.limit,
          })
        case 'RequestWithdrawn':
          return decided(sessions, endOf(message, WITHDRAWN[message.reason]))
        case 'RequestRefused':
          return decided(sessions, endOf(message, message.reason))
        case 'SessionEnded':
        case 'SessionRefused':
        case 'CredentialRevoked':
          return endAll(sessions, message.sessionId, 'the session ended')
      }
    },
    quarantine: (sessions, session) =>
      endAll(sessions, session, 'a record of the session is unreadable'),
  }

  function voted(sessions: Sessions, vote: ReviewsMessage, voter: Voter): readonly Consequence[] {
    const command = commandOf(vote, voter)
    // The end of the request may be in the log already, not decided on yet; then the vote comes too late.
    const isOver = isGone(sessions, vote.sessionId, vote.requestId)
    if (isOver) return decided(sessions, endOf(vote, 'the requester is gone'), command)
    // No sweep may have been here since the rules changed, and no vote by earlier rules counts.
    const state = approvalOf(sessions, vote.sessionId, vote.requestId)
    const superseding = supersession(state, rules, clock)
    return superseding === null
      ? decided(sessions, command)
      : decided(sessions, superseding, command)
  }

  function commandOf(vote: ReviewsMessage, voter: Voter): ApprovalCommand {
    switch (vote.type) {
      case 'Countersign':
        return { type: vote.type, ...order(vote, clock), voter, digest: vote.digest }
      case 'Deny':
        return { type: vote.type, ...order(vote, clock), voter, words: vote.words }
      case 'Withdraw':
        return { type: vote.type, ...order(vote, clock), voter }
    }
  }

  function voterOf(vote: ReviewsMessage, read: Caller | { unverified: string }): Voter {
    if ('unverified' in read)
      return { status: 'unverified', claimed: vote.by, detail: read.unverified }
    return { status: 'verified', identity: read, environments: rules.environmentsOf(read) }
  }

  function endAll(sessions: Sessions, session: string, reason: string): readonly Consequence[] {
    return pendingOf(sessions, session).flatMap((request) => {
      const state = approvalOf(sessions, session, request)
      return state.status === 'pending' ? decided(sessions, endOf(state.requested, reason)) : []
    })
  }

  function endOf(about: Parameters<typeof order>[0], reason: string): ApprovalCommand {
    return { type: 'EndRequest', ...order(about, clock), reason }
  }
}

/** The messages that something is decided on here; all others of the same topics change nothing. */
const isInput = oneOf(
  'ReviewRequired',
  'Countersign',
  'Deny',
  'Withdraw',
  'RequestHeld',
  'RequestWithdrawn',
  'RequestRefused',
  'SessionEnded',
  'SessionRefused',
  'CredentialRevoked',
)

const WITHDRAWN = {
  // In a pipeline others are asked about ahead of their turn, and then in it, as other requests.
  Cancelled:
    'it does not run: the agent cancelled it, something before it failed, or it is asked about in its turn, as another request',
  Disconnected: 'the agent disconnected',
  SessionEnded: 'the session ended',
} as const
