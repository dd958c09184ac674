import { readFile } from 'node:fs/promises'
import {
  CompactEncrypt,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose'
import { messageOf, Problem } from '@countersign/kernel'

/** Seals for the one who holds the private key (compact JWE, RFC 7516: ECDH-ES+A256KW, A256GCM). */
export type Sealer = (plain: Uint8Array | string) => Promise<string>
/** Opens what was sealed to this key. Throws `CS_AUTH_INVALID` where it was not. */
export type Opener = (jwe: string) => Promise<Buffer>

/** Seals to a public key. The purpose is authenticated: what is sealed for one use opens for no other. */
export async function sealerTo(jwk: JWK, purpose: string): Promise<Sealer> {
  const key = await importJWK(jwk, 'ECDH-ES+A256KW')
  return (plain) =>
    new CompactEncrypt(Buffer.from(plain))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', typ: purpose })
      .encrypt(key)
}

/** Opens with a private key what was sealed for this purpose. */
export async function openerWith(jwk: JWK, purpose: string): Promise<Opener> {
  const key = await importJWK(jwk, 'ECDH-ES+A256KW')
  return async (jwe) => {
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(jwe, key, {
        keyManagementAlgorithms: ['ECDH-ES+A256KW'],
        contentEncryptionAlgorithms: ['A256GCM'],
      })
      if (protectedHeader['typ'] !== purpose) throw new TypeError(`it is not sealed as ${purpose}`)
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

async function readJson(file: string): Promise<JWK & { keys?: JWK[] }> {
  try {
    const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (typeof parsed !== 'object' || parsed === null) throw new TypeError('it is no JSON object')
    return parsed
  } catch (cause) {
    throw new Problem('CS_CONFIG_INVALID', `cannot read the key file: ${messageOf(cause)}`, {
      cause,
    })
  }
}
