import { type Search, searchBeginnings } from './beginnings.ts'
import { apiKey } from './detectors/api-key.ts'
import { awsKeyId, awsSecret } from './detectors/aws-key.ts'
import { card } from './detectors/card.ts'
import { email, emailInBytes } from './detectors/email.ts'
import { encodedRuns, type HitIn } from './detectors/encoded.ts'
import { iban } from './detectors/iban.ts'
import { jwt } from './detectors/jwt.ts'
import { keyedSecret } from './detectors/keyed-secret.ts'
import { phone } from './detectors/phone.ts'
import { privateKey } from './detectors/private-key.ts'
import type { AccountDetector, NumberDetector, Span, WordDetector } from './detectors/span.ts'
import { ssn } from './detectors/ssn.ts'
import { ALL_FEATURES, type Features, featuresOfBytes, hasAny } from './features.ts'

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
  const utf8 = Buffer.from(text)
  // A longer text is taken to have all features: to look for them would only delay it.
  const features = text.length > TOLD_CHARS_MAX ? ALL_FEATURES : featuresOfBytes(utf8)
  if (!hasAny(features)) return []
  const codes = utf8.length === text.length ? utf8 : codesOf(text)
  const look = { codes, features, emails: () => email(text) }
  const hits: Hit[] = []
  for (const { name, spans } of searched(look, names))
    for (const { start, end } of spans) hits.push({ name, start, end, isShowable: true })
  if (features.hasRun) {
    const hitIn: HitIn<DetectorName> = (bytes, found) => hitInBytes(bytes, found, names)
    for (const run of encodedRuns(codes, hitIn)) hits.push({ ...run, isShowable: false })
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

// UTF-16 of ASCII is ASCII with zeros between, whichever the byte order and wherever it starts.
function hitInBytes(
  bytes: Buffer,
  features: Features,
  names: readonly DetectorName[],
): DetectorName | null {
  const plain = plainHitInBytes(bytes, features, names)
  if (plain !== null || !mayBeUtf16(bytes)) return plain
  // The features count bytes with zeros between them as together, too.
  return plainHitInBytes(withoutZeros(bytes), features, names)
}

// Without making characters of UTF-8: the detectors look for ASCII, and in an address any other byte may be a letter.
function plainHitInBytes(
  bytes: Buffer,
  features: Features,
  names: readonly DetectorName[],
): DetectorName | null {
  const codes = withSingleBlanks(bytes)
  const emails = (): Span[] => emailInBytes(codes.toString('latin1'))
  const found = searched({ codes, features, emails }, names)
  return found.find(({ spans }) => spans.length > 0)?.name ?? null
}

/** True if three characters in a row have zeros between them, as the end of each hit has in UTF-16. */
function mayBeUtf16(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1))
    if (bytes[at + 2] === 0 && bytes[at + 4] === 0) return true
  return false
}

function withoutZeros(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(bytes.length)
  let size = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    if (byte !== 0) out[size++] = byte
  }
  return out.subarray(0, size)
}

/** A space that does not break has two bytes in UTF-8, of which the second is its code. */
function withSingleBlanks(bytes: Buffer): Buffer {
  if (!bytes.includes(BLANK_IN_BYTES)) return bytes
  const out = Buffer.allocUnsafe(bytes.length)
  let size = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    const isFirst = byte === BLANK_IN_BYTES[0] && i + 1 < bytes.length
    if (!isFirst || bytes[i + 1] !== BLANK_IN_BYTES[1]) out[size++] = byte
  }
  return out.subarray(0, size)
}

/** The codes of a text: a byte for each UTF-16 unit, 255 for all above 255. */
function codesOf(text: string): Buffer {
  const codes = Buffer.allocUnsafe(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    codes[i] = code < 255 ? code : 255
  }
  return codes
}

/** The codes of a text, and the addresses in it, which need its characters. */
type Look = {
  readonly codes: Buffer
  readonly features: Features
  readonly emails: () => Span[]
}

/** The hits of each detector that was asked for, in order. */
function searched({ codes, features, emails }: Look, names: readonly DetectorName[]): Found[] {
  const found: Found[] = []
  const beginnings: Search[] = []
  for (const name of names)
    for (const search of SEARCHES[name]) {
      if (!features[search.needs]) continue
      switch (search.where) {
        case 'emails':
          found.push({ name, spans: emails() })
          break
        case 'accounts':
        case 'numbers':
        case 'words': {
          const spans: Span[] = []
          found.push({ name, spans })
          beginnings.push({ ...search, spans })
        }
      }
    }
  if (beginnings.length > 0) searchBeginnings(codes, beginnings)
  return found
}

type Found = { readonly name: DetectorName; readonly spans: readonly Span[] }

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

/** One search of a detector: the feature that a text needs for it, and where it begins. */
type Part = { readonly needs: keyof Features } & (
  | { readonly where: 'emails' }
  | { readonly where: 'accounts'; readonly find: AccountDetector }
  | { readonly where: 'numbers'; readonly find: NumberDetector }
  | { readonly where: 'words'; readonly find: WordDetector }
)

function byWords(...detectors: WordDetector[]): readonly Part[] {
  return detectors.map((find) => ({ needs: 'hasRun', where: 'words', find }))
}

const SEARCHES: Readonly<Record<DetectorName, readonly Part[]>> = {
  email: [{ needs: 'hasAt', where: 'emails' }],
  card: [{ needs: 'hasNumber', where: 'numbers', find: card }],
  ssn: [{ needs: 'hasNumber', where: 'numbers', find: ssn }],
  iban: [{ needs: 'hasAccount', where: 'accounts', find: iban }],
  phone: [{ needs: 'hasNumber', where: 'numbers', find: phone }],
  jwt: [{ needs: 'hasRun', where: 'words', find: jwt }],
  'aws-key': byWords(awsKeyId, awsSecret),
  'api-key': byWords(apiKey, keyedSecret, privateKey),
}

const TOLD_CHARS_MAX = 1024 * 1024
// The shortest e-mail address: a@b.io.
const HIT_BYTES_MIN = 6
const BLANK_IN_BYTES = Buffer.from('\u00a0')
