import { COMMON_SETTINGS, OIDC_SETTINGS, path } from '@countersign/runtime'

/** The settings of approval; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_SEALING_KEY_FILE: path('The private key of approval (JWK), to open the tokens of voters.'),
  ...OIDC_SETTINGS,
}
