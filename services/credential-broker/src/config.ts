import { COMMON_SETTINGS, count, path } from '@countersign/runtime'

/** The settings of the broker. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_SECRETS_DIR: path(
    'The folder of the admin secrets: a profile with adminSecret file:<name> has <name> there, as {"user","password"}.',
  ),
  CS_DESCRIBE_EVERY_MS: count(
    'How often a target with open sessions is asked whether anything in it changed, in milliseconds.',
    2_000,
  ),
  CS_TARGET_CA_FILE: path(
    'The certificate authorities of the targets (PEM); those of the system by default.',
  ).optional(),
}
