import { COMMON_SETTINGS, OIDC_SETTINGS, path, port } from '@countersign/runtime'
import { z } from 'zod'

/** The settings of the console; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_HTTP_HOST: z.string().default('127.0.0.1').describe('The address to listen on.'),
  CS_HTTP_PORT: port('The port of the HTTP API.'),
  CS_SEALING_KEYS_FILE: path('The public keys of the services (JWK Set).'),
  ...OIDC_SETTINGS,
}
