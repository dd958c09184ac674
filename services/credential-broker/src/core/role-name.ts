import { sha256 } from '@countersign/kernel'

/**
 * The role of a pool: `cs_<profile>_<n>`. n modulo the stride is the partition, so that two brokers never share a role.
 */
export const roleName = (profile: string, partition: number, place: number): string =>
  `${rolePrefix(profile)}${partition + place * PARTITION_STRIDE}`

/** The role that owns what sessions of a profile with `mayCreate` make without an approval; it is of no pool. */
export const makerName = (profile: string): string => `${rolePrefix(profile)}maker`

/** The partition whose pool a role of this profile belongs to; null for a role of no pool. */
export function partitionOfRole(profile: string, role: string): number | null {
  const prefix = rolePrefix(profile)
  const number = role.startsWith(prefix) ? role.slice(prefix.length) : ''
  return /^\d{1,9}$/.test(number) ? Number(number) % PARTITION_STRIDE : null
}

/** Role names have 63 bytes and are shared by the whole server, so a profile name that is not plain gets a hash. */
export function rolePrefix(profile: string): string {
  const plain = profile
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '_')
    .slice(0, PLAIN_CHARACTERS_MAX)
  const isExact = /^[a-z0-9-]+$/.test(profile) && profile.length <= PLAIN_CHARACTERS_MAX
  return isExact ? `cs_${plain}_` : `cs_${plain}_${sha256(profile).slice(0, 8)}_`
}

const PARTITION_STRIDE = 64
const PLAIN_CHARACTERS_MAX = 36
