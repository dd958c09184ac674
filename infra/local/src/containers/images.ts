import { KAFKA_VERSION } from '../kafka-jars.ts'

/** The images of the integration tests: the versions of the local parts, as in docker-compose.yml. */
export const DEFAULT_IMAGES = {
  kafka: `apache/kafka:${KAFKA_VERSION}`,
  postgres: 'postgres:18.4',
} as const

/**
 * The image to run. COUNTERSIGN_KAFKA_IMAGE and COUNTERSIGN_POSTGRES_IMAGE name others, for example in a
 * registry of one's own; they keep the paths and the entry point of the official ones.
 */
export const imageOf = (part: Part, env = process.env): string =>
  env[VARIABLES[part]] || DEFAULT_IMAGES[part]

/** A server that can come from a container. */
export type Part = keyof typeof DEFAULT_IMAGES

/** The variable that overrides each image, here and in docker-compose.yml. */
export const VARIABLES = {
  kafka: 'COUNTERSIGN_KAFKA_IMAGE',
  postgres: 'COUNTERSIGN_POSTGRES_IMAGE',
} as const satisfies Record<Part, string>
