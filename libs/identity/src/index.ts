export { type About, credentialAbout, dataKeyAbout, sessionAbout, voteAbout } from './about.ts'
export { type DataKey, dataKeyOf, newDataKey } from './data-key.ts'
export {
  ephemeralKeyPair,
  type Opener,
  openerWith,
  readPrivateKey,
  readSealingKeys,
  type Sealer,
  sealerTo,
  thumbprintOf,
} from './sealing.ts'
export { patientVerifier } from './patient-verifier.ts'
export { type Purpose, PURPOSES } from './purpose.ts'
export { identityOf } from './claims.ts'
export {
  configuredVerifier,
  type OidcConfig,
  type TokenSettings,
  type TokenVerifier,
  tokenVerifier,
} from './token.ts'
