/** The logins that were refused lately, by address: they delay the next ones, and many are told in a summary. */
export type FailedLogins = {
  readonly addresses: Map<string, Failures>
  /** Refused logins that got an event of their own since the last summary, over all addresses. */
  singles: number
}

type Failures = {
  /** Rises by one with each refused login, and falls by one a second. */
  level: number
  atMs: number
  singles: number
  readonly summed: Map<string, number>
}

/** Refused logins of one address that no event of their own tells of. */
export type Summary = {
  readonly address: string
  /** The code of most of them. */
  readonly code: string
  readonly logins: number
}

export const noFailedLogins = (): FailedLogins => ({
  // bound: ADDRESSES_MAX
  addresses: new Map(),
  singles: 0,
})

/**
 * Counts a refused login, and says whether it gets an event of its own or becomes part of a summary. What is on record already
 * always gets the event that ends it.
 */
export function loginFailed(
  logins: FailedLogins,
  { address, code, isOnRecord }: { address: string; code: string; isOnRecord: boolean },
  nowMs: number,
): 'single' | 'summed' {
  const failures = failuresOf(logins, sourceOf(address), nowMs)
  failures.level = Math.min(LEVEL_MAX, levelAt(failures, nowMs) + 1)
  failures.atMs = nowMs
  if (isOnRecord) return 'single'
  if (failures.singles < SINGLES_MAX && logins.singles < ALL_SINGLES_MAX) {
    failures.singles++
    logins.singles++
    return 'single'
  }
  failures.summed.set(code, (failures.summed.get(code) ?? 0) + 1)
  return 'summed'
}

/** The delay of the next login of an address before its password is looked at, right or wrong, in milliseconds. */
export function loginDelayMs(logins: FailedLogins, address: string, nowMs: number): number {
  const failures = logins.addresses.get(sourceOf(address))
  const over = failures === undefined ? 0 : levelAt(failures, nowMs) - FREE_MAX
  return over <= 0 ? 0 : Math.min(DELAY_MS_MAX, DELAY_MS * 2 ** (over - 1))
}

/** The summaries of refused logins since the last call. Forgets addresses that have been quiet. */
export function loginSummaries(logins: FailedLogins, nowMs: number): Summary[] {
  logins.singles = 0
  const summaries: Summary[] = []
  for (const [address, failures] of logins.addresses) {
    const [most] = [...failures.summed].sort(([, a], [, b]) => b - a)
    if (most !== undefined) {
      const count = [...failures.summed.values()].reduce((sum, one) => sum + one, 0)
      summaries.push({ address, code: most[0], logins: count })
    }
    failures.summed.clear()
    failures.singles = 0
    if (levelAt(failures, nowMs) <= 0) logins.addresses.delete(address)
  }
  summaries.sort((a, b) => b.logins - a.logins)
  return [...summaries.slice(0, SUMMARIES_MAX), ...joined(summaries.slice(SUMMARIES_MAX))]
}

function joined(rest: readonly Summary[]): Summary[] {
  const [first] = rest
  if (first === undefined) return []
  const logins = rest.reduce((sum, summary) => sum + summary.logins, 0)
  return [{ address: OTHERS, code: first.code, logins }]
}

function failuresOf({ addresses }: FailedLogins, source: string, nowMs: number): Failures {
  const key = addresses.has(source) || addresses.size < ADDRESSES_MAX ? source : OTHERS
  // bound: one per error code
  const summed = new Map()
  const failures = addresses.get(key) ?? { level: 0, atMs: nowMs, singles: 0, summed }
  addresses.set(key, failures)
  return failures
}

const levelAt = ({ level, atMs }: Failures, nowMs: number): number =>
  Math.max(0, level - Math.max(0, nowMs - atMs) / 1_000)

/** The source of a login: an IPv4 address, or the first 64 bits of an IPv6 address, which one customer has. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length)
  const all = [...groups, ...Array.from({ length: zeros }, () => '0'), ...after]
  return `${all.slice(0, 4).join(':')}::/64`
}

/** Stands for all addresses beyond the bounds of the table or of the summaries. */
export const OTHERS = 'other addresses'

/** The level up to which refused logins of an address delay nothing. */
const FREE_MAX = 10
const DELAY_MS = 50
const DELAY_MS_MAX = 3_000
/** The highest level: an address that has stopped waits at most so many seconds for its first undelayed login. */
const LEVEL_MAX = 30
/** Refused logins that get an event of their own between two summaries, of one address and of all. */
const SINGLES_MAX = 5
const ALL_SINGLES_MAX = 60
const SUMMARIES_MAX = 100
const ADDRESSES_MAX = 10_000
