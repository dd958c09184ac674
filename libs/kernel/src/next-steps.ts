import type { ErrorCode } from './error-codes.ts'

/** The next step of a reader who meets an error code; a code without advice does not compile. */
export const NEXT_STEPS: Readonly<Record<ErrorCode, string>> = {
  CS_AUTH_REQUIRED:
    'Set `PGPASSWORD` to an access token; calls of the API carry it as a bearer token.',
  CS_AUTH_INVALID:
    'Get a token from the configured issuer, for the configured audience. If the detail says that the keys could not be read, try again.',
  CS_AUTH_EXPIRED: 'Get a new token and connect again.',
  CS_AUTH_AGENT_MISMATCH: 'Connect with the user name that the hint gives.',
  CS_AUTH_FORBIDDEN: 'Ask somebody of the group that may.',
  CS_TLS_REQUIRED: 'Connect with `sslmode=verify-full`, or at least `require`.',
  CS_PROFILE_UNKNOWN:
    'Take one of the names in the hint as `dbname`; if there are none, apply a catalog.',
  CS_SESSION_REJECTED:
    'Read the detail: a policy forbids it, or none permits `connect` for these groups.',
  CS_SESSION_REVOKED: 'Connect again. If you did not end the session yourself, ask the operators.',
  CS_SESSION_EXPIRED:
    'Get a new token and connect again. For work that takes longer: a token that lasts longer, or `tokenExpiry: keep-session` in the limits of the profile.',
  CS_SESSION_LIMIT:
    'Connect again; ask for fewer rows, or for another limit in the profile. Where the proxy is full, try later.',
  CS_STARTUP_PARAMETER_REFUSED:
    'Leave out what the detail names (`PGOPTIONS`, `options`, `replication`), or `SET` it in the session; `client_encoding` is UTF8.',
  CS_PROTOCOL_VIOLATION: 'Report it with the version of the driver: drivers do not send this.',
  CS_FRAME_TOO_LARGE: 'Split the statement, or use COPY. Operators: `CS_FRAME_BYTES_MAX`.',
  CS_REQUEST_BLOCKED: 'The detail names the rule. Ask another way, or ask for another rule.',
  CS_REQUEST_UNKNOWN: 'Write it more simply, or prepare it again in this session.',
  CS_STATEMENT_UNKNOWN: 'Prepare the statement again in this session.',
  CS_PORTAL_UNKNOWN: 'Bind the portal again in this transaction.',
  CS_TRANSACTION_FAILED: 'End the transaction, with ROLLBACK; then try again.',
  CS_PATH_MOVED: 'End the transaction, if there is one, with ROLLBACK; then send all of it again.',
  CS_REQUEST_TOO_COMPLEX:
    'Split the statement, or nest less; COPY takes many rows. Operators: `CS_STATEMENT_BYTES_MAX`, `CS_UNDERSTANDING_MS_MAX`.',
  CS_REQUEST_IMPOSSIBLE: 'Read what the target says of the statement, and mend that.',
  CS_COPY_DATA_NEEDED:
    'Send `COPY … FROM STDIN` as a statement of its own, with nothing behind it but its data, and send the data at once.',
  CS_COPY_DATA_TOO_LARGE:
    'Split the data into several COPYs, or send them later. Operators: `CS_COPY_DATA_BYTES_MAX`, `CS_MEMORY_BYTES_MAX`.',
  CS_HOLD_TOO_LARGE:
    'Send it in smaller pieces, or when others are over. Operators: `CS_MEMORY_BYTES_MAX`.',
  CS_REQUEST_CANCELLED: 'Nothing ran. Send it again if it is still wanted.',
  CS_REVIEW_DENIED: 'Change the statement as the words of the reviewer say.',
  CS_REVIEW_EXPIRED: 'Talk to a reviewer, then send it again.',
  CS_REVIEW_WITHDRAWN: 'Nothing ran. Send it again if it is still wanted.',
  CS_REVIEW_SUPERSEDED: 'Send it again; it is decided anew.',
  CS_REVIEW_NOT_PENDING: 'Look at the request: it is over already.',
  CS_REVIEW_REFUSED: 'Read the reason; somebody else must countersign.',
  CS_HOLD_IN_TRANSACTION:
    'Run it outside of a transaction, or as the first statement in one; the detail names the limit.',
  CS_GRANT_MISMATCH: 'Send it again. If it goes on, report it.',
  CS_PRIVILEGE_MISMATCH:
    'Nothing ran: run it first, outside of the transaction. At the end of a session: an operator looks at the memberships of the role.',
  CS_CREDENTIAL_FAILED: 'An operator reads the reason and the runbook of the credential broker.',
  CS_MASKING_UNAVAILABLE:
    'Connect again. If it goes on, an operator looks at masking and the broker.',
  CS_TARGET_UNREACHABLE: 'An operator tries host and port of the profile.',
  CS_TARGET_TLS_UNAVAILABLE: 'Switch TLS on at the target; there is no downgrade.',
  CS_TARGET_FAILED: 'Connect again; look at what the target itself logged.',
  CS_LOG_UNAVAILABLE:
    'Connect again when Kafka is back. A vote or a change of the catalog may have arrived: look before it is repeated.',
  CS_POLICY_BUSY:
    'Send the statement again a little later. If it goes on, an operator looks at policy.',
  CS_POLICY_UNAVAILABLE: 'Connect again. If it goes on, an operator looks at policy.',
  CS_APPROVAL_UNAVAILABLE: 'Send it again. If it goes on, an operator looks at approval.',
  CS_BROKER_UNAVAILABLE: 'Try again. If it goes on, an operator looks at the credential broker.',
  CS_LEASE_LOST: 'Connect again. Operators: the proxy could not reach Kafka, or was paused.',
  CS_REPLAY_BUSY: 'Try again when another of your calls is over.',
  CS_SHUTTING_DOWN: 'Connect again.',
  CS_CATALOG_INVALID: 'Mend what is named by file and line, then apply again.',
  CS_CONFIG_INVALID: 'Set what is named, then start the service again.',
  CS_MESSAGE_UNREADABLE:
    'An operator looks at `<service>.rejected`: it names topic, partition and offset.',
  CS_CHAIN_BROKEN:
    'Treat it as an incident: `recorder.rejected` names topic, partition and offset, and what is wrong.',
  CS_NOT_FOUND: 'Check the name or id. What you may not read is not found either.',
  CS_SERVICE_UNAVAILABLE: 'Try again; `countersign doctor` says what does not run.',
  CS_BAD_REQUEST: 'Send what the README of the service describes.',
  CS_INTERNAL: 'Report it with the session id; the log of the service says more.',
}
