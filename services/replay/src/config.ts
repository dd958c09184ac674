import { COMMON_SETTINGS, OIDC_SETTINGS, path, port } from '@countersign/runtime'
import { z } from 'zod'

/** The settings of replay; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_HTTP_HOST: z.string().default('127.0.0.1').describe('The address to listen on.'),
  CS_HTTP_PORT: port('The port of the HTTP API.'),
  CS_ARCHIVE_DIR: path('The folder with the archives of finished sessions.'),
  CS_SEALING_KEY_FILE: path('The private key of replay (JWK), to open the keys of sessions.'),
  ...OIDC_SETTINGS,
}
