import type { Catalog } from '@countersign/catalog'
import type { Clock, InstanceId, SessionId } from '@countersign/kernel'
import type { Sealer, TokenVerifier } from '@countersign/identity'
import type { Log, Understood } from '@countersign/log'
import type { BackendKey } from '@countersign/postgres-wire'
import type { Logger, Net } from '@countersign/runtime'
import type { ProxyConfig } from '../config.ts'
import type { Lease } from './lease.ts'
import type { Logins } from './logins.ts'
import type { Memory } from './memory.ts'
import type { ProxyMetrics } from './metrics.ts'
import type { SearchTurns } from './search-turns.ts'

/** The services, memory and tables that the sessions of one proxy process share. */
export type ProxyContext = {
  readonly config: ProxyConfig
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly net: Net
  readonly metrics: ProxyMetrics
  readonly instanceId: InstanceId
  readonly lease: Lease
  readonly logins: Logins
  readonly catalog: () => Catalog
  readonly verifyToken: TokenVerifier
  /** Seals a token to policy. */
  readonly sealToken: Sealer
  /** Seals the data key of a session, by reader. */
  readonly sealDataKey: ReadonlyMap<string, Sealer>
  readonly maskingKey: Buffer
  readonly searchTurns: SearchTurns
  /** For the large rows of all targets, and data of COPYs that wait for people. */
  readonly memory: Memory
  /** For the messages of all agents. */
  readonly intake: Memory
  readonly certificateAuthorities: string | undefined
  readonly sessions: SessionTable
  /** The last report of policy for the partition of a session; null where there was none. */
  liveness(sessionId: SessionId): PolicyLiveness | null
  /** The next catalog offset that this process itself will read. */
  catalogOffset(): number
  /** A new id. In whichever lane it is, this process hears what is said about it: it reads them all. */
  newSessionId(): SessionId
}

/** The policy version and catalog offset that policy last reported, and when. */
export type PolicyLiveness = {
  readonly heardAtMs: number
  readonly policyVersion: string
  /** The next catalog offset that policy will read. */
  readonly catalogOffset: number
}

/** The sessions of this process, for what arrives from outside of their connections. */
export type SessionTable = Map<SessionId, SessionHandle>

export type SessionHandle = {
  deliver(record: Understood): void
  cancel(): void
  end(code: 'CS_LEASE_LOST' | 'CS_SHUTTING_DOWN' | 'CS_MESSAGE_UNREADABLE'): void
  /** True if no request is under way. */
  isIdle(): boolean
  /** Null until the session is open. */
  readonly cancelKey: BackendKey | null
  readonly ended: Promise<void>
}
