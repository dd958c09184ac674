import { COMMON_SETTINGS, path } from '@countersign/runtime'
import { z } from 'zod'

/** The settings of approval; the table in the README is made from them. */
export const SETTINGS = {
  ...COMMON_SETTINGS,
  CS_SEALING_KEY_FILE: path('The private key of approval (JWK), to open the tokens of voters.'),
  CS_OIDC_ISSUER: z.string().min(1).describe('The issuer of the tokens of reviewers.'),
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
