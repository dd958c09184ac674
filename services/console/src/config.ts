import { COMMON_SETTINGS, path, port } from '@countersign/runtime'
import { z } from 'zod'

/** The settings of the console; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_HTTP_HOST: z.string().default('127.0.0.1').describe('The address to listen on.'),
  CS_HTTP_PORT: port('The port of the HTTP API.'),
  CS_SEALING_KEYS_FILE: path('The public keys of the services (JWK Set).'),
  CS_OIDC_ISSUER: z.string().min(1).describe('The issuer of the tokens of people and agents.'),
  CS_OIDC_AUDIENCE: z.string().default('countersign').describe('The audience of the tokens.'),
  CS_AGENT_GROUP: z
    .string()
    .min(1)
    .default('agents')
    .describe('The group whose members are agents, who never act as people.'),
  CS_OIDC_JWKS_URI: z
    .string()
    .optional()
    .describe('Where the keys of the issuer are; <issuer>/jwks by default.'),
}
