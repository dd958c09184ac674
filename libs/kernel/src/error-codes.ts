/**
 * Every public error code, with its meaning. The list is closed: a code is never reused or renamed,
 * and `docs/errors.md` is checked against it.
 */
export const ERROR_CODES = {
  CS_AUTH_REQUIRED: 'A token must be given as the password.',
  CS_AUTH_INVALID:
    'The token is malformed, not from the configured issuer, or its signature is wrong.',
  CS_AUTH_EXPIRED: 'The token has expired.',
  CS_AUTH_AGENT_MISMATCH: 'The user name is not the agent that the token was issued to.',
  CS_AUTH_FORBIDDEN: 'The identity may not do or read this.',
  CS_TLS_REQUIRED: 'The client did not ask for TLS.',
  CS_PROFILE_UNKNOWN: 'No connection profile has this name.',
  CS_SESSION_REJECTED: 'Policy does not admit this session.',
  CS_SESSION_REVOKED: 'The credential of the session was revoked; the session is over.',
  CS_SESSION_EXPIRED: 'The token that opened the session expired, so the session is over.',
  CS_SESSION_LIMIT: 'The session reached a limit of its profile.',
  CS_STARTUP_PARAMETER_REFUSED: 'The session may not begin with this setting or startup parameter.',
  CS_PROTOCOL_VIOLATION: 'The client sent a message that its protocol does not allow here.',
  CS_FRAME_TOO_LARGE: 'A message is larger than the configured limit.',
  CS_REQUEST_BLOCKED: 'Policy blocks this request.',
  CS_REQUEST_UNKNOWN: 'The request could not be understood, so it is not forwarded.',
  CS_STATEMENT_UNKNOWN: 'No prepared statement of this name is known in this session.',
  CS_PORTAL_UNKNOWN: 'No portal of this name is known in this session.',
  CS_TRANSACTION_FAILED: 'The transaction has failed, and runs nothing before it is ended.',
  CS_PATH_MOVED:
    'The search_path changed in the middle of a pipeline, which code of the target can do.',
  CS_REQUEST_TOO_COMPLEX:
    'The statement is longer than it may be, or would cost more to understand than it may.',
  CS_REQUEST_IMPOSSIBLE: 'The target cannot run this request, so nobody is asked about it.',
  CS_COPY_DATA_NEEDED:
    'The chain demands that this COPY FROM STDIN is held with its data, and the data were missing or did not come within a minute.',
  CS_COPY_DATA_TOO_LARGE: 'A COPY that is held with its data has more data than can be held.',
  CS_HOLD_TOO_LARGE: 'A large request cannot wait for people, because there is no memory for it.',
  CS_REQUEST_CANCELLED: 'The agent cancelled this request before it ran.',
  CS_REVIEW_DENIED: 'A reviewer denied this request.',
  CS_REVIEW_EXPIRED: 'Nobody countersigned this request before its deadline.',
  CS_REVIEW_WITHDRAWN: 'The requester withdrew this request.',
  CS_REVIEW_SUPERSEDED:
    'The policy, its chain, or what the request does at the target, changed while it was held.',
  CS_REVIEW_NOT_PENDING: 'The request is not waiting for a countersignature.',
  CS_REVIEW_REFUSED: 'This person may not countersign this request.',
  CS_HOLD_IN_TRANSACTION:
    'The request would be held for longer than its open transaction, or the idle session, may last.',
  CS_GRANT_MISMATCH: 'The grant does not name exactly this request.',
  CS_PRIVILEGE_MISMATCH: 'The target does not confirm the privilege that the session should have.',
  CS_CREDENTIAL_FAILED: 'The credential broker could not make, raise or lower the credential.',
  CS_MASKING_UNAVAILABLE: 'No masking plan exists, so no result may pass.',
  CS_TARGET_UNREACHABLE: 'The target could not be reached.',
  CS_TARGET_TLS_UNAVAILABLE: 'The target does not offer the TLS that the profile demands.',
  CS_TARGET_FAILED: 'The target broke the protocol or closed the connection.',
  CS_LOG_UNAVAILABLE: 'The log did not acknowledge in time; nothing was forwarded.',
  CS_POLICY_UNAVAILABLE: 'Policy did not answer in time.',
  CS_POLICY_BUSY: 'Policy was busy with the statements of others; this one was not forwarded.',
  CS_APPROVAL_UNAVAILABLE: 'Approval did not answer in time.',
  CS_BROKER_UNAVAILABLE: 'The credential broker did not answer in time.',
  CS_LEASE_LOST: 'The proxy could not renew its lease, so its sessions ended.',
  CS_REPLAY_BUSY: 'Replay has no turn or memory for this call now.',
  CS_SHUTTING_DOWN: 'The service is shutting down and takes nothing new.',
  CS_CATALOG_INVALID: 'A catalog file is not valid.',
  CS_CONFIG_INVALID: 'The configuration of the service is not valid.',
  CS_MESSAGE_UNREADABLE: 'A record of the log could not be understood.',
  CS_CHAIN_BROKEN: 'A record of a session does not follow from the ones before it.',
  CS_NOT_FOUND: 'There is nothing with this name or id.',
  CS_SERVICE_UNAVAILABLE: 'A service of Countersign, or the identity provider, did not answer.',
  CS_BAD_REQUEST: 'The call is not of the form that the API takes.',
  CS_INTERNAL: 'Countersign made a mistake; the request was not forwarded.',
} as const

/** A public, stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERROR_CODES, text)
