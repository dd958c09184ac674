import { apiKey } from './detectors/api-key.ts'
import { awsKey } from './detectors/aws-key.ts'
import { card } from './detectors/card.ts'
import { email, emailInBytes } from './detectors/email.ts'
import { encodedRuns } from './detectors/encoded.ts'
import { iban } from './detectors/iban.ts'
import { jwt } from './detectors/jwt.ts'
import { keyedSecret } from './detectors/keyed-secret.ts'
import { phone } from './detectors/phone.ts'
import { privateKey } from './detectors/private-key.ts'
import type { Detector, Span } from './detectors/span.ts'
import { ssn } from './detectors/ssn.ts'
import { type Features, featuresOfBytes, featuresOfText } from './features.ts'

/** What a detector is called in the masking rules. */
export type DetectorName =
  'email' | 'card' | 'ssn' | 'iban' | 'phone' | 'jwt' | 'aws-key' | 'api-key'

/** Every detector. */
export const DETECTORS: readonly DetectorName[] = [
  'email',
  'card',
  'ssn',
  'iban',
  'phone',
  'jwt',
  'aws-key',
  'api-key',
]

/** Something sensitive in a text. */
export type Hit = Span & {
  readonly name: DetectorName
  /** Whether a part of it may stay; not of what is encoded, nor where several hits overlap. */
  readonly isShowable: boolean
}

/**
 * Where a text holds something sensitive, from left to right and without overlaps.
 * Also finds what is written in base64 or hex. Limits: one level of encoding, of at least
 * 12 characters; digits and signs outside ASCII are not read as digits and signs.
 */
export function detect(text: string, names: readonly DetectorName[] = DETECTORS): Hit[] {
  const features = featuresOfText(text)
  if (!mayHit(features)) return []
  const hits = plainHits(text, names, features)
  if (features.hasRun) {
    const encoded = encodedRuns(text, (bytes, seen) => hitInBytes(bytes, names, seen))
    hits.push(...encoded.map((run) => ({ ...run, isShowable: false })))
  }
  return hits.length < 2 ? hits : disjoint(hits)
}

/** Whether bytes hold something sensitive as UTF-8 or UTF-16, plain or encoded. */
export function detectInBytes(bytes: Buffer, names: readonly DetectorName[]): boolean {
  if (detectsInUtf8(bytes, names)) return true
  return bytes.includes(0) && detectsInUtf8(withoutZeros(bytes), names)
}

/** Whether bytes of UTF-8 are worth a look at all; the gate in front of every untagged cell. */
export const mayHoldHit = (bytes: Buffer, start = 0, end = bytes.length): boolean =>
  end - start >= HIT_BYTES_MIN && mayHit(featuresOfBytes(bytes, start, end))

/** What a detector is made of, for those who measure it. */
export const findersOf = (name: DetectorName): readonly Detector[] => FINDERS[name].find

/** Whether a name is one of a detector of this version. */
export const isDetectorName = (name: string): name is DetectorName =>
  DETECTORS.some((known) => known === name)

function detectsInUtf8(bytes: Buffer, names: readonly DetectorName[]): boolean {
  return mayHoldHit(bytes) && detect(bytes.toString('utf8'), names).length > 0
}

function hitInBytes(
  bytes: Buffer,
  names: readonly DetectorName[],
  features: Features,
): DetectorName | null {
  const plain = plainHitInBytes(bytes, names, features)
  return plain !== null || !bytes.includes(0)
    ? plain
    : plainHitInBytes(withoutZeros(bytes), names, features)
}

// Without making characters of UTF-8: the detectors look for ASCII, and in an address any other byte may be a letter.
function plainHitInBytes(
  bytes: Buffer,
  names: readonly DetectorName[],
  features: Features,
): DetectorName | null {
  const latin1 = bytes.toString('latin1')
  const text = latin1.includes(BLANK_IN_BYTES)
    ? latin1.replaceAll(BLANK_IN_BYTES, '\u00a0')
    : latin1
  for (const name of names) {
    const { needs, find } = FINDERS[name]
    if (!features[needs]) continue
    if (name === 'email') {
      if (emailInBytes(text)) return name
    } else if (find.some((detector) => detector(text).length > 0)) return name
  }
  return null
}

// UTF-16 of ASCII is ASCII with zeros between, whichever the byte order and wherever it starts.
function withoutZeros(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length)
  let size = 0
  for (const byte of bytes) if (byte !== 0) out[size++] = byte
  return out.subarray(0, size)
}

function plainHits(text: string, names: readonly DetectorName[], features: Features): Hit[] {
  const hits: Hit[] = []
  for (const name of names) {
    const { needs, find } = FINDERS[name]
    if (!features[needs]) continue
    for (const detector of find) {
      for (const { start, end } of detector(text)) hits.push({ name, start, end, isShowable: true })
    }
  }
  return hits
}

function disjoint(hits: Hit[]): Hit[] {
  hits.sort((one, other) => one.start - other.start || other.end - one.end)
  const out: Hit[] = []
  for (const hit of hits) {
    const last = out.at(-1)
    if (last === undefined || hit.start >= last.end) out.push(hit)
    else if (hit.end > last.end) out[out.length - 1] = { ...last, end: hit.end, isShowable: false }
  }
  return out
}

const mayHit = ({ hasAt, hasDigits, hasRun }: Features): boolean => hasAt || hasDigits || hasRun

const FINDERS: Readonly<
  Record<DetectorName, { readonly needs: keyof Features; readonly find: readonly Detector[] }>
> = {
  email: { needs: 'hasAt', find: [email] },
  card: { needs: 'hasDigits', find: [card] },
  ssn: { needs: 'hasDigits', find: [ssn] },
  iban: { needs: 'hasDigits', find: [iban] },
  phone: { needs: 'hasDigits', find: [phone] },
  jwt: { needs: 'hasRun', find: [jwt] },
  'aws-key': { needs: 'hasRun', find: [awsKey] },
  'api-key': { needs: 'hasRun', find: [apiKey, keyedSecret, privateKey] },
}

// The shortest e-mail address: a@b.io.
const HIT_BYTES_MIN = 6
/** A space that does not break, in UTF-8. */
const BLANK_IN_BYTES = '\u00c2\u00a0'
