import { isoOf } from '@countersign/kernel'
import type { AnswerGroup } from './answer-groups.ts'
import { NOTHING } from './answers-apart.ts'
import type { OpenContents, Statement } from './contents.ts'
import type { Entry } from './entry.ts'
import { factsOf } from './facts.ts'
import type { SessionRecord } from './session-record.ts'

/** The facts that entries need beside their record. */
export type Use = {
  readonly contents: OpenContents
  /** The requests that were answered together with one that ended. */
  groupOf(requestId: string): AnswerGroup | null
  readonly doubtful: ReadonlySet<string>
  /** The requests that Countersign itself made. */
  readonly internal: ReadonlySet<string>
}

/** The entries of one record; the switch names every type of message, so that none is forgotten. */
export function entriesOf({ message }: SessionRecord, use: Use): Entry[] {
  const say = (kind: Entry['kind'], detail: string, more: Partial<Entry> = {}): Entry => ({
    at: isoOf(message.at),
    kind,
    requestId: 'requestId' in message ? message.requestId : null,
    text: null,
    parameters: [],
    parameterTypes: [],
    copyData: null,
    whole: null,
    who: null,
    durationMs: null,
    results: [],
    resultsNote: null,
    internal: 'requestId' in message && use.internal.has(message.requestId ?? ''),
    facts: factsOf(message),
    ...more,
    detail,
  })
  switch (message.type) {
    case 'SessionRequested':
      return [
        say('asked', `${message.profile} from ${message.clientAddress}`, { who: message.agent }),
      ]
    case 'SessionAdmitted':
      return [
        say('admitted', `to ${message.profile.name} (${message.profile.environment})`, {
          who: message.identity.agent,
        }),
      ]
    case 'SessionRejected':
      return [say('blocked', `${message.code}: ${message.reason}`)]
    case 'CredentialIssued':
      return [say('credential', `role ${message.role} with ${listed(message.baseRoles)}`)]
    case 'CredentialFailed':
      return [say('refused', `${message.code}: ${message.reason}`)]
    case 'MaskingPlanned':
      return [
        say('plan', `${message.columns.length} masked columns, rules ${message.rulesVersion}`),
      ]
    case 'SessionOpened':
      return [say('opened', `as ${message.role}`)]
    case 'SessionRefused':
      return [say('refused', `${message.code}: ${message.reason}`)]
    case 'RequestIntercepted': {
      const { content, origin } = message
      const statement = statementOf(message, use.contents.statementOf(message.requestId, content))
      return [say('request', [content.kind, ...by(origin)].join(', '), statement)]
    }
    case 'RequestPart':
    case 'TranscriptRecorded':
    case 'ApprovalRequested':
      return []
    case 'RequestAllowed':
      return [say('allowed', `${message.summary} (${rulesIn(message.rules)})`)]
    case 'RequestBlocked':
      return [say('blocked', `${message.code}: ${message.reason} (${rulesIn(message.rules)})`)]
    case 'ReviewRequired': {
      const chains = listed(message.chains.map(({ name }) => name))
      return [say('held', `${message.summary}, for ${chains} (${rulesIn(message.rules)})`)]
    }
    case 'RequestHeld':
      return [say('held', `until ${isoOf(message.endsAt)} at the latest (${message.limit})`)]
    case 'Countersigned':
      return [
        say('countersigned', `stage ${message.stage} of ${message.chain}`, { who: message.by }),
      ]
    case 'CountersignatureRefused':
      return [say('vote-refused', `${message.reason}: ${message.detail}`, { who: message.by })]
    case 'ApprovalDenied':
      return [say('denied', message.words, { who: message.by })]
    case 'ApprovalGranted':
      return [
        say('granted', message.raise.length === 0 ? '' : `lends ${listed(message.raise)}`, {
          who: listed(message.signers),
        }),
      ]
    case 'ApprovalExpired':
      return [say('expired', `nobody countersigned stage ${message.stage} in time`)]
    case 'ApprovalSuperseded':
      return [say('expired', `superseded: ${message.reason}`)]
    case 'ApprovalWithdrawn':
    case 'RequestWithdrawn':
      return [say('withdrawn', message.reason)]
    case 'PrivilegeRaised':
      return [say('raised', listed(message.roles))]
    case 'PrivilegeLowered': {
      const moved = [...message.transferred, ...message.quarantined]
      const objects = moved.length === 0 ? '' : `; handed over ${listed(moved)}`
      return [say('lowered', `${listed(message.roles)}${objects}`)]
    }
    case 'RequestReleased': {
      const { content, origin, requestId, coverage, decisionId } = message
      const doubt = use.doubtful.has(requestId) ? ['may have run'] : []
      const covered = coverage === 'None' ? [] : [`covered by decision ${decisionId}`]
      const released = say(
        'released',
        [...doubt, ...(coverage === 'None' ? [] : [`coverage ${coverage}`])].join(', '),
      )
      if (content === null) return [released]
      const statement = statementOf(message, use.contents.statementOf(requestId, content))
      const detail = [content.kind, ...covered, ...by(origin)].join(', ')
      return [say('request', detail, statement), released]
    }
    case 'RequestRefused':
      return [say('refused', `${message.code}: ${message.reason}`)]
    case 'RequestCompleted': {
      const facts = [message.outcome, message.commandTag, message.sqlState].filter(
        (fact) => fact !== null,
      )
      const group = use.groupOf(message.requestId)
      const { results, note } =
        group === null ? NOTHING : use.contents.resultsOf(message.requestId, group)
      return [
        say('completed', [...facts, `${message.rows} rows`].join(', '), {
          durationMs: message.durationMicros / 1_000,
          results,
          resultsNote: note,
        }),
      ]
    }
    case 'CredentialRevoked':
      return [say('revoked', `role ${message.role}: ${message.reason}`)]
    case 'SessionEnded':
      return [
        say('ended', message.code === null ? message.reason : `${message.reason}, ${message.code}`),
      ]
  }
}

const statementOf = (
  { sessionId, requestId }: { sessionId: string; requestId: string },
  { isCut, ...statement }: Statement,
): Partial<Entry> => ({
  ...statement,
  whole: isCut ? `/v1/sessions/${sessionId}/requests/${requestId}` : null,
})

const by = (origin: 'Agent' | 'Countersign'): string[] =>
  origin === 'Countersign' ? ['by Countersign itself'] : []
const listed = (names: readonly string[]): string => names.join(', ') || 'nothing'
const rulesIn = (rules: readonly string[]): string => rules.join(', ') || 'no rule'
