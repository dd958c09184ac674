import { apiKey } from './detectors/api-key.ts'
import { awsKey } from './detectors/aws-key.ts'
import { card } from './detectors/card.ts'
import { email } from './detectors/email.ts'
import { iban } from './detectors/iban.ts'
import { jwt } from './detectors/jwt.ts'
import { phone } from './detectors/phone.ts'
import { privateKey } from './detectors/private-key.ts'
import type { Detector } from './detectors/span.ts'
import { ssn } from './detectors/ssn.ts'
import { encodedRuns } from './encoded.ts'
import { readings } from './readings.ts'

/** The name of a content detector. */
export type DetectorName =
  | 'email'
  | 'card'
  | 'ssn'
  | 'iban'
  | 'phone'
  | 'jwt'
  | 'aws-key'
  | 'api-key'
  | 'private-key'

/** What a detector found, and whether it stood there in base64 or hex. */
export type Hit = {
  readonly name: DetectorName
  readonly start: number
  readonly end: number
  readonly encoded: boolean
}

/** The detectors there are. */
export const DETECTORS: readonly DetectorName[] = [
  'email',
  'card',
  'ssn',
  'iban',
  'phone',
  'jwt',
  'aws-key',
  'api-key',
  'private-key',
]

/** What the detectors find in a text, from left to right; hits may overlap. */
export function detect(text: string, detectors: readonly DetectorName[]): Hit[] {
  if (detectors.length === 0) return []
  const hits = plainHits(text, detectors)
  for (const run of encodedRuns(text)) {
    for (const decoded of run.decoded()) {
      const name = detectInBytes(decoded, detectors)
      if (name === null) continue
      hits.push({ name, start: run.start, end: run.end, encoded: true })
      break
    }
  }
  return hits.sort((one, other) => one.start - other.start || other.end - one.end)
}

/** The first detector that finds something in the bytes, read as text of any usual encoding. */
export function detectInBytes(
  bytes: Buffer,
  detectors: readonly DetectorName[],
): DetectorName | null {
  for (const text of readings(bytes)) {
    for (const name of detectors) if (FIND[name](text).length > 0) return name
  }
  return null
}

/** Whether a name is that of a detector. */
export function isDetectorName(name: string): name is DetectorName {
  return Object.hasOwn(FIND, name)
}

function plainHits(text: string, detectors: readonly DetectorName[]): Hit[] {
  const hits: Hit[] = []
  for (const name of detectors) {
    for (const span of FIND[name](text)) hits.push({ name, ...span, encoded: false })
  }
  return hits
}

const FIND: Readonly<Record<DetectorName, Detector>> = {
  email,
  card,
  ssn,
  iban,
  phone,
  jwt,
  'aws-key': awsKey,
  'api-key': apiKey,
  'private-key': privateKey,
}
