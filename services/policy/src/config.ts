import { COMMON_SETTINGS, OIDC_SETTINGS, path } from '@countersign/runtime'

/** The settings of policy; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_SEALING_KEY_FILE: path(
    'The private key of policy (JWK), to open tokens of agents and keys of sessions.',
  ),
  ...OIDC_SETTINGS,
}
