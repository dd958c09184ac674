import { COMMON_SETTINGS, count, path } from '@countersign/runtime'

/** The settings of the recorder; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_ARCHIVE_DIR: path('The folder for the archives of finished sessions.'),
  CS_ARCHIVE_GRACE_MS: count('How long a finished session must be quiet, in milliseconds.', 2_000),
}
