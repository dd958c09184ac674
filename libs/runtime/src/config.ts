import { Problem, Secret } from '@countersign/kernel'
import { z } from 'zod'
import { exampleOf, meaningOf } from './setting.ts'

/** Reads settings from the environment. Throws `CS_CONFIG_INVALID`, which names everything that is wrong at once. */
export function readConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: NodeJS.ProcessEnv,
): z.infer<z.ZodObject<Shape>> {
  const read = z.object(shape).safeParse(environment)
  if (read.success) return read.data
  const lines = read.error.issues.map((issue) => {
    const name = issue.path.join('.')
    const wrong = environment[name] === undefined ? 'is missing' : phrase(issue.message)
    const setting = shape[name]
    return `  ${name}: ${wrong}${setting === undefined ? '' : ` – ${advice(name, setting)}`}`
  })
  throw new Problem('CS_CONFIG_INVALID', `the configuration is not valid:\n${lines.join('\n')}`)
}

function advice(name: string, setting: z.core.$ZodType): string {
  const example = `for example ${exampleOf(name, setting)}`
  const meaning = meaningOf(setting)
  return `set it to ${meaning === undefined ? example : `${phrase(meaning)}, ${example}`}`
}

/** The settings of every service. A service adds its own and gives the whole to `readConfig`. */
export const COMMON_SETTINGS = {
  KAFKA_BROKERS: z
    .string()
    .min(1)
    .describe('The Kafka brokers, as host:port, separated by commas.')
    .transform((text) => text.split(',')),
  KAFKA_USERNAME: z.string().optional().describe('The Kafka user of this service (SASL/PLAIN).'),
  KAFKA_PASSWORD: z
    .string()
    .optional()
    .describe('The password of the Kafka user.')
    .transform((text) => (text === undefined ? undefined : new Secret(text))),
  KAFKA_TLS: flag('Whether to use TLS to Kafka.', false),
  CS_SESSION_TIMEOUT_MS: count('How long Kafka waits for a dead reader, in milliseconds.', 6_000),
  CS_APPEND_LIMIT_MS: count('How long an append may take, in milliseconds.', 2_000),
  CS_HEALTH_HOST: z
    .string()
    .default('127.0.0.1')
    .describe(
      'The address of /healthz, /readyz and /metrics (of the broker also /revocations, which names roles), without a token; 0.0.0.0 where probes come from outside.',
    ),
  CS_HEALTH_PORT: port(
    'The port of /healthz, /readyz and /metrics, of the broker also /revocations.',
  ),
  CS_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .default('info')
    .describe('How much the service logs.'),
}

/** The settings for access tokens: their provider, their audience, and the group that marks agents. */
export const OIDC_SETTINGS = {
  CS_OIDC_ISSUER: z.string().min(1).describe('The issuer of the tokens.'),
  CS_OIDC_AUDIENCE: z.string().default('countersign').describe('The audience of the tokens.'),
  CS_OIDC_TOKEN_TYPE: z
    .string()
    .min(1)
    .default('at+jwt')
    .describe(
      'The `typ` in the header of access tokens (RFC 9068); set `JWT` for a provider that says so. ID tokens are refused either way.',
    ),
  CS_OIDC_JWKS_URI: z
    .string()
    .optional()
    .describe('Where the keys of the issuer are; <issuer>/jwks by default.'),
  CS_AGENT_GROUP: z
    .string()
    .min(1)
    .default('agents')
    .describe('The group whose members are agents, who never act as people.'),
}

/** A whole number that is not negative. */
export function count(meaning: string, value?: number) {
  const schema = z.coerce.number().int().nonnegative().describe(meaning)
  return value === undefined ? schema : schema.default(value)
}

/** A TCP port; 0 takes a free one. */
export function port(meaning: string) {
  return z.coerce.number().int().min(0).max(65_535).describe(meaning)
}

/** true or false. */
export function flag(meaning: string, value: boolean) {
  return z
    .enum(['true', 'false'])
    .default(value ? 'true' : 'false')
    .describe(meaning)
    .transform((text) => text === 'true')
}

/** A file or folder. */
export function path(meaning: string) {
  return z.string().min(1).describe(meaning)
}

/** A sentence without its capital and full stop, to stand inside another one. */
const phrase = (sentence: string): string =>
  sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '')
