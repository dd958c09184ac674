import { randomBytes } from 'node:crypto'
import type {
  CredentialIssued,
  MaskingPlanned,
  SessionAdmitted,
  SessionRequested,
  SessionsMessage,
  TargetDescribed,
} from '@countersign/contracts'
import { draftOf, type Understood } from '@countersign/log'
import {
  credentialAbout,
  dataKeyAbout,
  PURPOSES,
  dataKeyOf,
  ephemeralKeyPair,
  newDataKey,
  openerWith,
  sessionAbout,
} from '@countersign/identity'
import {
  EventId,
  isErrorCode,
  Problem,
  Secret,
  sha256,
  type SessionId,
  uuidv5,
} from '@countersign/kernel'
import {
  type ClientMessage,
  cleartextPassword,
  type Startup,
  startupSettings,
  type StartupSettings,
  toClient,
  type Violation,
} from '@countersign/postgres-wire'
import {
  isGivenUnasked,
  isSettledAtStart,
  mayBeginWith,
  meantPath,
  pathIn,
  type PathRules,
  pathRulesOf,
  START_SETTINGS_MAX,
} from '@countersign/statements'
import { traced } from '@countersign/runtime'
import type { Unlinked } from '../core/chain.ts'
import { applicationName } from '../core/session-name.ts'
import { newExchange } from '../core/exchange.ts'
import { newPathGuard } from '../core/path-guard.ts'
import { resultFilter } from '../core/result-filter.ts'
import { noNames } from '../core/statement-names.ts'
import { isWithoutMeaning } from './changed-settings.ts'
import type { Client } from './client.ts'
import { deadline } from './deadline.ts'
import { expiryIn } from './expiry.ts'
import { type Journal, openJournal } from './journal.ts'
import { noLargeRow } from './large-rows.ts'
import { type Mailbox, openMailbox } from './mailbox.ts'
import { newOwnState } from './own-changes.ts'
import type { ProxyContext } from './proxy-context.ts'
import { settingOf } from './search-path.ts'
import { type Ending, endSession, type Session } from './session-state.ts'
import { shared, takeDescription } from './take-description.ts'
import { takePlan } from './take-plan.ts'
import { connectTarget } from './target.ts'
import { nothingWithheld } from './withheld.ts'

/** A session that was asked for: its id, journal and mailbox exist, whether it opens or not. */
export type Asked = {
  readonly proxy: ProxyContext
  readonly client: Client
  readonly id: SessionId
  readonly journal: Journal
  readonly mailbox: Mailbox
  /** The records that arrive for the session before it is open. */
  readonly early: Understood[]
  onState: (record: Understood) => void
  /** The hash of all that it asks for, where something of the session stands in the log, or is about to. */
  wish: string | null
}

/** Begins a session: from here on whatever happens to it stands in the log. */
export function askedSession(proxy: ProxyContext, client: Client): Asked {
  const id = proxy.newSessionId()
  // bound: as long as one session opens
  const early: Understood[] = []
  const asked: Asked = {
    proxy,
    client,
    id,
    journal: openJournal({ log: proxy.log, sessionId: id, logger: proxy.logger }),
    mailbox: openMailbox((record) => asked.onState(record)),
    early,
    onState: (record) => void early.push(record),
    wish: null,
  }
  return asked
}

/** Identifies the agent, has the session admitted, gets a credential, connects the target. Throws a `Problem`. */
export async function openSession(asked: Asked, startup: Startup): Promise<Session> {
  const { proxy, client, journal } = asked
  const settings = settingsOf(startup)
  // A client that asks for more than 3.2 has to know that it does not get it, before anything else is said.
  if (startup.minor > MINOR_MAX || settings.unknownOptions.length > 0)
    client.write(toClient.negotiateProtocolVersion(minorOf(startup), settings.unknownOptions))
  const token = await askPassword(client, proxy.config.CS_LOGIN_LIMIT_MS)
  await proxy.logins.turn(client.address)
  const identity = await proxy.verifyToken(token.expose())
  if (identity.agent !== settings.user) {
    throw new Problem(
      'CS_AUTH_AGENT_MISMATCH',
      `the token was issued to "${identity.agent}", not to "${settings.user}"`,
      {
        hint: `Connect as user=${identity.agent}.`,
      },
    )
  }
  if (!proxy.catalog().profiles.has(settings.database)) {
    const names = [...proxy.catalog().profiles.keys()].sort()
    throw new Problem(
      'CS_PROFILE_UNKNOWN',
      `there is no connection profile "${settings.database}"`,
      {
        hint:
          names.length === 0
            ? 'Apply a catalog first: countersign apply -f <folder>.'
            : `Use dbname=… with one of: ${names.join(', ')}.`,
      },
    )
  }

  const given = [...settings.settings].filter(([name]) => !isOfCountersign(name))
  const wish = sha256('', JSON.stringify([identity.agent, settings.database, given]))
  proxy.logins.mayTry(wish)
  const keys = await ephemeralKeyPair()
  const dataKey = newDataKey()
  asked.mailbox.expect('admission')
  asked.mailbox.expect('credential')
  asked.wish = wish
  // Needed before the first request, not before the session is admitted.
  const keySealed = sealKey(asked, dataKey.bytes())
  keySealed.catch(() => undefined)
  const bound = {
    instanceId: proxy.instanceId,
    profile: settings.database,
    agent: identity.agent,
    sessionKey: JSON.stringify(keys.publicJwk),
  }
  const requested: Unlinked<SessionRequested> = {
    type: 'SessionRequested',
    at: proxy.clock.now(),
    ...bound,
    clientAddress: client.address,
    applicationName: settings.settings.get('application_name') ?? null,
    proof: await proxy.sealToken(
      JSON.stringify({ token: token.expose(), settings: given }),
      sessionAbout({ sessionId: asked.id, ...bound }),
    ),
    signature: null,
  }
  await traced('session', null, () => journal.record<SessionsMessage>([requested]))
  const admitted = await admission(asked)
  if (admitted.sessionKey !== bound.sessionKey || admitted.instanceId !== bound.instanceId)
    throw new Problem('CS_SESSION_REJECTED', 'policy admitted the session of another process')
  const unasked = given.find(([name]) => !isGivenUnasked(name) && !admitted.settings.includes(name))
  // A policy of an older version does not know that it is asked.
  if (unasked !== undefined)
    throw new Problem('CS_STARTUP_PARAMETER_REFUSED', `policy says nothing of ${unasked[0]}`)
  const issued = await credential(asked)
  const opened = await openerWith(keys.privateJwk, PURPOSES.credential)
  const password = passwordIn(
    await opened(issued.sealed, credentialAbout({ sessionId: asked.id, role: issued.role })),
    asked.id,
    issued.role,
  )
  const described = description(asked)
  const pathRules = pathRulesOf(described.searchPath, admitted.profile)
  const searchPath = pathOf(settings, pathRules)
  const target = await connectTarget({
    address: admitted.profile,
    role: issued.role,
    password,
    settings: new Map([
      ...settings.settings,
      [
        'application_name',
        applicationName(asked.id, settings.settings.get('application_name') ?? ''),
      ],
      ['search_path', settingOf(searchPath)],
    ]),
    certificateAuthorities: proxy.certificateAuthorities,
    net: proxy.net,
    limitMs: proxy.config.CS_CONNECT_LIMIT_MS,
    rowBytesMax: proxy.config.CS_ROW_BYTES_MAX,
  })
  try {
    const plan = await maskingPlan(asked)
    await keySealed
    await journal.record<SessionsMessage>([
      {
        type: 'SessionOpened',
        at: proxy.clock.now(),
        credentialId: issued.credentialId,
        role: issued.role,
        targetVersion: issued.targetVersion,
        maskingPlanVersion: plan.planVersion,
        policyVersion: admitted.policyVersion,
        targetProcessId: target.processId,
      },
    ])
    if (!proxy.lease.isHeld())
      throw new Problem('CS_LEASE_LOST', 'the lease ran out while the session opened')
    const session: Session = {
      proxy,
      id: asked.id,
      agent: identity.agent,
      profile: admitted.profile,
      expiry: expiryIn(admitted),
      client,
      target,
      journal,
      mailbox: asked.mailbox,
      dataKey: dataKeyOf(dataKey.bytes()),
      names: noNames(),
      // bound: COVERS_MAX
      covers: new Map(),
      grantedPortals: new WeakMap(),
      portalAnswers: new WeakMap(),
      exchange: newExchange(),
      salt: randomBytes(16),
      ownName: `_countersign_${randomBytes(8).toString('hex')}`,
      // bound: REQUESTS_MAX
      underWay: new Map(),
      nextNumber: 0,
      requestCount: 0,
      status: 'I',
      isPipelineOpen: false,
      isSkipping: false,
      hasRun: false,
      mayQuoteAtEnd: false,
      // bound: CURSORS_MAX
      cursors: new Map(),
      framesBehind: null,
      masking: Promise.resolve(),
      behindRow: null,
      hasChangedState: false,
      stateVersion: 0,
      settings: [],
      // -1: where the agent gave a path, or settings with a meaning, they are asked for before the first request.
      settingsVersion:
        searchPath === pathRules.own && [...settings.settings.keys()].every(isWithoutMeaning)
          ? 0
          : -1,
      // bound: PARAMETERS_MAX
      reported: new Map(target.parameters),
      // bound: CUSTOM_SETTINGS_MAX
      customSettings: new Set(given.flatMap(([name]) => (name.includes('.') ? [name] : []))),
      hasUnknownSettings: false,
      searchPath,
      pathRules,
      // Schemas of it may be missing, or its role may not use them.
      isPathInDoubt: true,
      isPathUnheard: false,
      pathGuard: newPathGuard(),
      policyVersion: admitted.policyVersion,
      targetVersion: plan.targetVersion,
      described: shared(described),
      undescribed: null,
      isSchemaInDoubt: false,
      isDescriptionLate: false,
      own: newOwnState(),
      plan,
      filter: resultFilter(plan, proxy.maskingKey, admitted.profile.environment),
      nextFilter: null,
      planChanges: 0,
      untaken: null,
      raised: null,
      hasEndedRaised: false,
      withheld: nothingWithheld(),
      isCancelled: false,
      onCancel: () => undefined,
      wake: () => undefined,
      ownRows: [],
      largeRow: noLargeRow(),
      ending: Promise.withResolvers<Ending>(),
      isEnding: false,
    }
    asked.onState = (record) => stateChanged(session, record)
    asked.mailbox.whenRejected((words) =>
      endSession(session, { reason: 'Failed', code: 'CS_SESSION_REJECTED', words }),
    )
    asked.early.splice(0).forEach((record) => stateChanged(session, record))
    proxy.logins.opened(wish)
    return session
  } catch (cause) {
    target.close()
    throw cause
  }
}

/** The settings that the agent gives in its StartupMessage; throws `CS_STARTUP_PARAMETER_REFUSED` for any other. */
export function settingsOf(startup: Startup): StartupSettings {
  const settings = startupSettings(startup.parameters, mayBeginWith)
  if (!settings.ok)
    throw new Problem(
      'CS_STARTUP_PARAMETER_REFUSED',
      `these startup parameters are not allowed: ${settings.error.join(', ')}`,
      {
        hint: 'Leave them out (PGOPTIONS, options=…, replication=…); what SET allows may be given, and client_encoding must be UTF8.',
      },
    )
  const given = [...settings.value.settings]
  const bytes = given.reduce((sum, pair) => sum + Buffer.byteLength(pair.join()) + 1, 0)
  if (given.length > START_SETTINGS_MAX || bytes > SETTINGS_BYTES_MAX)
    throw new Problem(
      'CS_STARTUP_PARAMETER_REFUSED',
      `a session begins with at most ${START_SETTINGS_MAX} settings of ${SETTINGS_BYTES_MAX} bytes together`,
      { hint: 'SET the others in the session.' },
    )
  return settings.value
}

/** PostgreSQL takes a StartupMessage of 10,000 bytes, and this is not all that stands in it. */
const SETTINGS_BYTES_MAX = 8_000
/** True for settings whose value at the target is Countersign's, whatever the agent says; of the name the agent's is a part. */
const isOfCountersign = (name: string): boolean =>
  isSettledAtStart(name) || name === 'application_name'

/** The path that the agent begins with: its own wish, where the session may have it. */
function pathOf({ settings }: StartupSettings, rules: PathRules): readonly string[] {
  const wished = settings.get('search_path')
  if (wished === undefined) return rules.own
  const path = meantPath(pathIn(wished), rules)
  if (path !== null) return path
  throw new Problem(
    'CS_STARTUP_PARAMETER_REFUSED',
    `the profile does not list this search_path: ${wished.slice(0, 200)}`,
    { hint: 'Leave it out, or have it listed in searchPaths of the profile.' },
  )
}

async function askPassword(client: Client, limitMs: number): Promise<Secret<string>> {
  client.write(toClient.authenticationCleartextPassword())
  using within = deadline(limitMs)
  const limit = within.signal
  for (;;) {
    const message = client.take()
    if (message?.tag === 'Password') {
      const password = cleartextPassword(message)
      if (password === null || password.expose() === '') {
        throw new Problem('CS_AUTH_REQUIRED', 'a token must be given as the password', {
          hint: 'Set PGPASSWORD to an access token, for example from: countersign token.',
        })
      }
      notBehindPassword(client.take())
      return password
    }
    if (message !== undefined)
      throw new Problem('CS_PROTOCOL_VIOLATION', 'the client did not send a password')
    if (client.isGone()) throw new Problem('CS_AUTH_REQUIRED', 'the client left without a password')
    if (limit.aborted)
      throw new Problem(
        'CS_AUTH_REQUIRED',
        `the client did not send a password within ${limitMs} ms, which is CS_LOGIN_LIMIT_MS of the proxy`,
      )
    await Promise.race([client.arrival(), aborted(limit)])
  }
}

/** Throws where a message came behind the password: a client waits for the answer to it. */
function notBehindPassword(message: ClientMessage | Violation | undefined): void {
  if (message === undefined) return
  if (message.tag === 'Terminate')
    throw new Problem('CS_AUTH_REQUIRED', 'the client left before it was let in')
  throw new Problem(
    'CS_PROTOCOL_VIOLATION',
    'the client did not wait for the answer to its password',
  )
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

async function sealKey(asked: Asked, key: Buffer): Promise<void> {
  const recipients = await Promise.all(
    [...asked.proxy.sealDataKey].map(async ([reader, seal]) => ({
      reader,
      jwe: await seal(key, dataKeyAbout(asked.id)),
    })),
  )
  const id = EventId(uuidv5(asked.id, 'key'))
  await asked.proxy.log.append([
    draftOf(
      { type: 'SessionKeySealed', sessionId: asked.id, at: asked.proxy.clock.now(), recipients },
      { id, key: asked.id },
    ),
  ])
}

async function admission(asked: Asked): Promise<SessionAdmitted> {
  const { message } = await asked.mailbox.next(
    'admission',
    asked.proxy.config.CS_DECISION_LIMIT_MS,
    'CS_POLICY_UNAVAILABLE',
  )
  asked.mailbox.forget('admission')
  if (message.type === 'SessionAdmitted') return message
  const code =
    message.type === 'SessionRejected' && isErrorCode(message.code)
      ? message.code
      : 'CS_SESSION_REJECTED'
  throw new Problem(
    code,
    message.type === 'SessionRejected' ? message.reason : 'policy does not admit the session',
  )
}

async function credential(asked: Asked): Promise<CredentialIssued> {
  const { message } = await asked.mailbox.next(
    'credential',
    asked.proxy.config.CS_CREDENTIAL_LIMIT_MS,
    'CS_BROKER_UNAVAILABLE',
  )
  asked.mailbox.forget('credential')
  if (message.type === 'CredentialIssued') return message
  const code =
    message.type === 'CredentialFailed' && isErrorCode(message.code)
      ? message.code
      : 'CS_CREDENTIAL_FAILED'
  throw new Problem(
    code,
    message.type === 'CredentialFailed' ? message.reason : 'no credential was issued',
  )
}

/** The broker describes the target before it issues the credential, in the same topic. */
function description(asked: Asked): TargetDescribed {
  for (const { message } of asked.early) if (message.type === 'TargetDescribed') return message
  throw new Problem('CS_CREDENTIAL_FAILED', 'the broker did not describe the target')
}

/** The password, where it was made for this session and role. */
function passwordIn(plain: Buffer, sessionId: SessionId, role: string): Secret<string> {
  const opened: unknown = JSON.parse(plain.toString('utf8'))
  if (
    typeof opened === 'object' &&
    opened !== null &&
    'password' in opened &&
    typeof opened.password === 'string'
  ) {
    const isOurs =
      'sessionId' in opened &&
      opened.sessionId === sessionId &&
      'role' in opened &&
      opened.role === role
    if (isOurs) return new Secret(opened.password)
  }
  throw new Problem('CS_CREDENTIAL_FAILED', 'the credential was made for another session')
}

async function maskingPlan(asked: Asked): Promise<MaskingPlanned> {
  using within = deadline(asked.proxy.config.CS_MASKING_LIMIT_MS)
  const limit = within.signal
  for (;;) {
    const planned = asked.early.findLast(({ message }) => message.type === 'MaskingPlanned')
    if (planned?.message.type === 'MaskingPlanned') return planned.message
    if (asked.early.some(({ message }) => message.type === 'CredentialRevoked')) {
      throw new Problem('CS_SESSION_REVOKED', 'the credential was revoked while the session opened')
    }
    if (limit.aborted) {
      throw new Problem('CS_MASKING_UNAVAILABLE', 'the masking service did not plan in time', {
        retriable: true,
      })
    }
    await new Promise<void>((resolve) => {
      asked.onState = (record) => {
        asked.early.push(record)
        resolve()
      }
      limit.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}

/** Takes a message about an open session that another service sent without being asked. */
function stateChanged(session: Session, record: Understood): void {
  const { message } = record
  switch (message.type) {
    case 'CredentialRevoked': {
      const words = `the credential was revoked (${message.reason})`
      endSession(session, { reason: 'CredentialRevoked', code: 'CS_SESSION_REVOKED', words })
      break
    }
    case 'TargetDescribed':
      takeDescription(session, message)
      break
    case 'MaskingPlanned':
      takePlan(session, message)
      break
    default:
      break
  }
  session.wake()
}

/** The newest minor version of the protocol that is spoken here, 3.2, or the older one that the client asks for. */
export const minorOf = ({ minor }: Startup): number => Math.min(minor, MINOR_MAX)

const MINOR_MAX = 2
