import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../paths.ts'
import { DEFAULT_IMAGES, imageOf, VARIABLES } from './images.ts'

test('docker-compose.yml runs the images of the integration tests, and the same variables override them', () => {
  const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')
  const images = [...compose.matchAll(/^ +image: (.+)$/gm)].map(([, image]) => image)
  assert.deepEqual(images, [
    `\${${VARIABLES.kafka}:-${DEFAULT_IMAGES.kafka}}`,
    `\${${VARIABLES.postgres}:-${DEFAULT_IMAGES.postgres}}`,
  ])
})

test('an image is the usual one unless a variable names another', () => {
  assert.equal(imageOf('postgres', {}), DEFAULT_IMAGES.postgres)
  assert.equal(imageOf('postgres', { COUNTERSIGN_POSTGRES_IMAGE: '' }), DEFAULT_IMAGES.postgres)
  assert.equal(imageOf('kafka', { COUNTERSIGN_KAFKA_IMAGE: 'mirror/kafka:1' }), 'mirror/kafka:1')
})
