import { readFile } from 'node:fs/promises'
import {
  calculateJwkThumbprint,
  CompactEncrypt,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose'
import { messageOf, Problem, sha256 } from '@countersign/kernel'
import type { About } from './about.ts'
import type { Purpose } from './purpose.ts'

/** Seals for the holder of the private key (compact JWE, RFC 7516: ECDH-ES+A256KW, A256GCM). */
export type Sealer = (plain: Uint8Array | string, about: About) => Promise<string>
/** Opens a value that was sealed to this key, about this. Throws `CS_AUTH_INVALID` where it was not. */
export type Opener = (jwe: string, about: About) => Promise<Buffer>

/** Seals to a public key. Purpose and context are authenticated: a value sealed for one use opens for no other. */
export async function sealerTo(jwk: JWK, purpose: Purpose): Promise<Sealer> {
  const key = await importJWK(jwk, 'ECDH-ES+A256KW')
  return (plain, about) =>
    new CompactEncrypt(Buffer.from(plain))
      .setProtectedHeader({
        alg: 'ECDH-ES+A256KW',
        enc: 'A256GCM',
        typ: purpose,
        about: markOf(about),
      })
      .encrypt(key)
}

/** Opens with a private key what was sealed for this purpose. */
export async function openerWith(jwk: JWK, purpose: Purpose): Promise<Opener> {
  const key = await importJWK(jwk, 'ECDH-ES+A256KW')
  return async (jwe, about) => {
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(jwe, key, {
        keyManagementAlgorithms: ['ECDH-ES+A256KW'],
        contentEncryptionAlgorithms: ['A256GCM'],
      })
      if (protectedHeader['typ'] !== purpose) throw new TypeError(`it is not sealed as ${purpose}`)
      if (protectedHeader['about'] !== markOf(about))
        throw new TypeError('it is sealed about something else')
      return Buffer.from(plaintext)
    } catch (cause) {
      throw new Problem('CS_AUTH_INVALID', `a sealed value cannot be opened: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
}

/** A key pair that lives as long as a session. */
export async function ephemeralKeyPair(): Promise<{ publicJwk: JWK; privateJwk: JWK }> {
  const pair = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable: true })
  return {
    publicJwk: await exportJWK(pair.publicKey),
    privateJwk: await exportJWK(pair.privateKey),
  }
}

/** The thumbprint of a public key (RFC 7638). Throws `CS_AUTH_INVALID` where no credential can be sealed to the key. */
export async function thumbprintOf(publicKey: string): Promise<string> {
  try {
    const jwk = jwkIn(publicKey)
    if (jwk.d !== undefined || jwk.kty !== 'EC' || jwk.crv !== 'P-256')
      throw new TypeError('it is no public key on P-256')
    await importJWK(jwk, 'ECDH-ES+A256KW')
    return await calculateJwkThumbprint(jwk)
  } catch (cause) {
    throw new Problem('CS_AUTH_INVALID', `the session key cannot be used: ${messageOf(cause)}`, {
      cause,
    })
  }
}

/** A short mark, which tells nothing to a reader without the list; over JSON, so that no two lists look alike. */
const markOf = (about: About): string => sha256('countersign/about/1', JSON.stringify(about))

/** The public keys of the services, by name, from a JWK Set file. */
export async function readSealingKeys(file: string): Promise<ReadonlyMap<string, JWK>> {
  const set = await readJson(file)
  const keys = set.keys ?? []
  return new Map(
    keys.flatMap((key): [string, JWK][] => (key.kid === undefined ? [] : [[key.kid, key]])),
  )
}

/** The private key of this service, from a JWK file. */
export async function readPrivateKey(file: string): Promise<JWK> {
  const key = await readJson(file)
  if (key.d === undefined) {
    throw new Problem('CS_CONFIG_INVALID', 'the sealing key file holds no private key (JWK)')
  }
  return key
}

function jwkIn(text: string): JWK & { keys?: JWK[] } {
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('it is no JSON object')
  return parsed
}

async function readJson(file: string): Promise<JWK & { keys?: JWK[] }> {
  try {
    return jwkIn(await readFile(file, 'utf8'))
  } catch (cause) {
    throw new Problem('CS_CONFIG_INVALID', `cannot read the key file: ${messageOf(cause)}`, {
      cause,
    })
  }
}
