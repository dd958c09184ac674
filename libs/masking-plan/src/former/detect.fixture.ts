// The detectors as they were before they read codes in one pass: the reference that `detect.test.ts` compares with. That of
// addresses has not changed.
import { email, emailInBytes } from '../detectors/email.ts'
import { apiKey } from './detectors/api-key.fixture.ts'
import { awsKey } from './detectors/aws-key.fixture.ts'
import { card } from './detectors/card.fixture.ts'
import { encodedRuns } from './detectors/encoded.fixture.ts'
import { iban } from './detectors/iban.fixture.ts'
import { jwt } from './detectors/jwt.fixture.ts'
import { keyedSecret } from './detectors/keyed-secret.fixture.ts'
import { phone } from './detectors/phone.fixture.ts'
import { privateKey } from './detectors/private-key.fixture.ts'
import type { Detector, Span } from './detectors/span.fixture.ts'
import { ssn } from './detectors/ssn.fixture.ts'
import {
  type Features,
  featuresOfBytes,
  featuresOfText,
  hasAny,
  numbersIn,
} from './features.fixture.ts'
import { type KeyWords, keyWordsIn } from './key-words.fixture.ts'

/** The names of the detectors in the masking rules. */
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
  /** True if a part of it may stay; never of an encoded hit, nor where several hits overlap. */
  readonly isShowable: boolean
}

/**
 * The sensitive parts of a text, from left to right and without overlaps.
 * Also finds those that are written in base64 or hex. Limits: one level of encoding, of at least
 * 12 characters; digits and signs outside ASCII are not read as digits and signs.
 */
export function detect(text: string, names: readonly DetectorName[] = DETECTORS): Hit[] {
  const look = lookInto(text)
  if (!hasAny(look.features)) return []
  const hits = plainHits(look, names)
  if (look.features.hasRun) {
    const encoded = encodedRuns(text, (bytes, features) => hitInBytes(bytes, features, names))
    hits.push(...encoded.map((run) => ({ ...run, isShowable: false })))
  }
  return hits.length < 2 ? hits : disjoint(hits)
}

/** True if bytes hold something sensitive as UTF-8 or UTF-16, plain or encoded. */
export function detectInBytes(bytes: Buffer, names: readonly DetectorName[]): boolean {
  if (detectsInUtf8(bytes, names)) return true
  return bytes.includes(0) && detectsInUtf8(withoutZeros(bytes), names)
}

/** True if bytes of UTF-8 are worth a look at all; the gate in front of every untagged cell. */
export const mayHoldHit = (bytes: Buffer, start = 0, end = bytes.length): boolean =>
  end - start >= HIT_BYTES_MIN && hasAny(featuresOfBytes(bytes, start, end))

/** True if a name is one of a detector of this version. */
export const isDetectorName = (name: string): name is DetectorName =>
  DETECTORS.some((known) => known === name)

function detectsInUtf8(bytes: Buffer, names: readonly DetectorName[]): boolean {
  return mayHoldHit(bytes) && detect(bytes.toString('utf8'), names).length > 0
}

function hitInBytes(
  bytes: Buffer,
  features: Features,
  names: readonly DetectorName[],
): DetectorName | null {
  const plain = plainHitInBytes(bytes, features, names)
  // The features count bytes with zeros between them as together, too.
  return plain !== null || !mayBeUtf16(bytes)
    ? plain
    : plainHitInBytes(withoutZeros(bytes), features, names)
}

// Without making characters of UTF-8: the detectors look for ASCII, and in an address any other byte may be a letter.
function plainHitInBytes(
  bytes: Buffer,
  features: Features,
  names: readonly DetectorName[],
): DetectorName | null {
  const latin1 = bytes.toString('latin1')
  const text = latin1.includes(BLANK_IN_BYTES)
    ? latin1.replaceAll(BLANK_IN_BYTES, '\u00a0')
    : latin1
  const look = lookInto(text, features)
  for (const name of names) {
    const { needs, finders } = FINDERS[name]
    if (!features[needs]) continue
    if (name === 'email') {
      if (emailInBytes(text).length > 0) return name
    } else if (finders.some((finder) => spansOf(finder, look).length > 0)) return name
  }
  return null
}

const mayBeUtf16 = (bytes: Buffer): boolean => /\0[^]\0[^]\0/.test(bytes.toString('latin1'))

// UTF-16 of ASCII is ASCII with zeros between, whichever the byte order and wherever it starts.
function withoutZeros(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length)
  let size = 0
  for (const byte of bytes) if (byte !== 0) out[size++] = byte
  return out.subarray(0, size)
}

function plainHits(look: Look, names: readonly DetectorName[]): Hit[] {
  const hits: Hit[] = []
  for (const name of names) {
    const { needs, finders } = FINDERS[name]
    if (!look.features[needs]) continue
    for (const finder of finders) {
      for (const { start, end } of spansOf(finder, look))
        hits.push({ name, start, end, isShowable: true })
    }
  }
  return hits
}

/** A text, and the parts of it that are worth a look, by what is there. */
type Look = { readonly text: string; readonly features: Features; readonly parts: Parts }
type Parts = Readonly<Record<'all' | 'numbers' | keyof KeyWords, readonly Span[]>>

function lookInto(text: string, features = featuresOfText(text)): Look {
  const numbers = features.hasNumber ? numbersIn(text) : []
  const words = features.hasRun ? keyWordsIn(text) : NO_WORDS
  return { text, features, parts: { all: [{ start: 0, end: text.length }], numbers, ...words } }
}

function spansOf({ find, where }: Finder, { text, parts }: Look): Span[] {
  const spans: Span[] = []
  for (const { start, end } of parts[where]) {
    // A part may lie within a hit that began in the part before it.
    const from = Math.max(start, spans.at(-1)?.end ?? 0)
    if (from < end) spans.push(...find(text, from, end))
  }
  return spans
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

type Finder = { readonly find: Detector; readonly where: keyof Parts }

const NO_WORDS: KeyWords = { aws: [], api: [], keyed: [] }

const FINDERS: Readonly<
  Record<DetectorName, { readonly needs: keyof Features; readonly finders: readonly Finder[] }>
> = {
  email: { needs: 'hasAt', finders: [{ find: email, where: 'all' }] },
  card: { needs: 'hasNumber', finders: [{ find: card, where: 'numbers' }] },
  ssn: { needs: 'hasNumber', finders: [{ find: ssn, where: 'numbers' }] },
  iban: { needs: 'hasAccount', finders: [{ find: iban, where: 'all' }] },
  phone: { needs: 'hasNumber', finders: [{ find: phone, where: 'numbers' }] },
  jwt: { needs: 'hasRun', finders: [{ find: jwt, where: 'all' }] },
  'aws-key': { needs: 'hasRun', finders: [{ find: awsKey, where: 'aws' }] },
  'api-key': {
    needs: 'hasRun',
    finders: [
      { find: apiKey, where: 'api' },
      { find: keyedSecret, where: 'keyed' },
      { find: privateKey, where: 'all' },
    ],
  },
}

// The shortest e-mail address: a@b.io.
const HIT_BYTES_MIN = 6
/** A space that does not break, in UTF-8. */
const BLANK_IN_BYTES = '\u00c2\u00a0'
