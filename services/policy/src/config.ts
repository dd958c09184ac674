import { COMMON_SETTINGS, count, OIDC_SETTINGS, path } from '@countersign/runtime'
import { STATEMENT_BYTES_MAX } from '@countersign/statements'

/** The settings of policy; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_SEALING_KEY_FILE: path(
    'The private key of policy (JWK), to open tokens of agents and keys of sessions.',
  ),
  ...OIDC_SETTINGS,
  CS_STATEMENT_BYTES_MAX: count(
    'The longest statement, in bytes; parameters and COPY data do not count.',
    STATEMENT_BYTES_MAX,
  ),
  CS_UNDERSTANDING_MS_MAX: count(
    'How much processor time it may cost to understand a statement, in milliseconds for each 16 KiB that it has begun.',
    50,
  ),
}
