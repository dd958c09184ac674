import { COMMON_SETTINGS, path } from '@countersign/runtime'

/** The settings of the broker. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_SECRETS_DIR: path(
    'The folder of the admin secrets: a profile with adminSecret file:<name> has <name> there, as {"user","password"}.',
  ),
  CS_TARGET_CA_FILE: path(
    'The certificate authorities of the targets (PEM); those of the system by default.',
  ).optional(),
}
