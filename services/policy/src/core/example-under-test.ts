import { readdirSync, readFileSync } from 'node:fs'
import { applied, type Catalog, definedBy, emptyCatalog, parseCatalog } from '@countersign/catalog'
import type {
  CatalogMessage,
  CredentialIssued,
  DescribedType,
  Identity,
  Relation,
  RequestIntercepted,
  RequestSubject,
  SessionAdmitted,
  TargetDescribed,
} from '@countersign/contracts'
import { InstanceId, Instant, RequestId, SessionId } from '@countersign/kernel'
import { ownRolesOf } from './own-roles.ts'
import { targetInForce } from './path-in-force.ts'
import { policiesOf } from './policy-set.ts'
import { besideText, requestDecision, type RequestDecision } from './request-decision.ts'
import { understood } from './understood.ts'

/**
 * Examples that the tests of policy share: the example catalog of the repository, and a shop. Imported by tests only.
 */

const folder = new URL('../../../../infra/local/catalog/', import.meta.url)
export const NOW = Instant(1_772_000_000_000_000)

const files = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(new URL(name, folder), 'utf8'),
}))

/** The messages of the example catalog, with some more Cedar text in a policy set of its own. */
export function exampleMessages(extraCedar = ''): CatalogMessage[] {
  const extra = [
    {
      name: 'extra.yaml',
      text: 'apiVersion: countersign/v1\nkind: PolicySet\nmetadata: { name: extra }\nspec: { files: [extra.cedar] }',
    },
    { name: 'extra.cedar', text: extraCedar },
  ]
  const given = extraCedar === '' ? files : [...files, ...extra]
  const { definitions } = parseCatalog(given, { variables: { POSTGRES_PORT: '17532' } })
  return definitions.map((definition) => definedBy(definition, 'ana', NOW))
}

export const exampleCatalog = (extraCedar = ''): Catalog =>
  exampleMessages(extraCedar).reduce(applied, emptyCatalog)

export const identity: Identity = {
  subject: 'maria',
  agent: 'ci-deploy',
  behalfOf: 'maria',
  actors: ['maria', 'ci-deploy'],
  groups: ['agents'],
  expiresAt: NOW,
}

export const SESSION = SessionId('01920000-0000-7000-8000-000000000001')
export const REQUEST = RequestId('01920000-0000-7000-8000-000000000002')
export const INSTANCE = InstanceId('01920000-0000-7000-8000-000000000003')

/** A table, or what `more` makes of it. */
export const relation = (
  oid: number,
  name: string,
  columns: string[],
  more: Partial<Relation> = {},
): Relation => ({
  oid,
  schema: 'shop',
  name,
  kind: 'table',
  columns: columns.map((column, index) => ({
    attnum: index + 1,
    name: column,
    typeOid: 25,
    label: null,
    origin: null,
    fields: [],
  })),
  dependsOn: [],
  inherits: [],
  computed: [],
  digest: '',
  reaches: [],
  runsCode: false,
  ...more,
})

export const target = (profile: string): TargetDescribed => ({
  type: 'TargetDescribed',
  requestId: null,
  sessionId: SESSION,
  at: NOW,
  target: profile,
  targetVersion: `version-of-${profile}`,
  serverVersion: '18.4',
  eventTriggers: '',
  searchPath: ['shop'],
  relations: [
    relation(1, 'customers', ['id', 'full_name', 'email', 'city']),
    relation(2, 'orders', ['id', 'customer_id', 'total', 'note']),
    relation(3, 'contacts', ['id', 'mail'], {
      kind: 'view',
      dependsOn: [
        { relationOid: 1, attnum: 1 },
        { relationOid: 1, attnum: 3 },
      ],
    }),
    relation(4, 'archive', ['id', 'total']),
    ...Array.from({ length: 70 }, (_, index) => relation(100 + index, `t${index}`, ['id'])),
  ],
  routines: [
    {
      oid: 9,
      schema: 'shop',
      name: 'refund',
      volatility: 'volatile',
      securityDefiner: true,
      language: 'plpgsql',
      overloads: 'always',
      plain: false,
      digest: '',
    },
  ],
  types: [],
  systemColumns: [],
})

export function admitted(profile: string, catalog = exampleCatalog()): SessionAdmitted {
  const found = catalog.profiles.get(profile)
  if (found === undefined) throw new TypeError(`no profile ${profile}`)
  return {
    type: 'SessionAdmitted',
    settings: [],
    sessionId: SESSION,
    at: NOW,
    identity,
    profile: found,
    policyVersion: 'v',
    instanceId: INSTANCE,
    sessionKey: '{}',
    sessionKeyThumbprint: null,
    catalogOffset: 1,
    expiresAt: null,
  }
}

export const subjectOf = (
  profile: string,
  sql: string,
  change: Partial<RequestSubject> = {},
): RequestSubject => ({
  protocol: 'Postgres',
  kind: 'Query',
  text: Buffer.from(sql),
  parameterTypes: [],
  valueTypes: [],
  executes: [],
  parameterFormats: [],
  parameters: [],
  resultFormats: [],
  rowsMax: 0,
  sessionId: SESSION,
  agent: 'ci-deploy',
  target: profile,
  baseRoles: exampleCatalog().profiles.get(profile)?.baseRoles ?? [],
  stateVersion: 3,
  policyVersion: '',
  salt: Buffer.alloc(16, 7),
  settings: [],
  copyData: null,
  ...change,
})

export const intercepted = (change: Partial<RequestIntercepted> = {}): RequestIntercepted => ({
  type: 'RequestIntercepted',
  sessionId: SESSION,
  sequence: 1,
  previousHash: '',
  at: NOW,
  requestId: REQUEST,
  content: {
    kind: 'Query',
    digest: 'd',
    ciphertext: Buffer.alloc(0),
    partCount: 0,
    rendering: '',
    sizeBytes: 0,
  },
  origin: 'Agent',
  transactionStatus: 'Idle',
  stateVersion: 3,
  raisedRoles: [],
  namesInDoubt: false,
  ...change,
})

/** The roles of a session: for shop-dev there are two, as when base roles may create. */
export const credential = (profile: string): Pick<CredentialIssued, 'role' | 'actsAs'> => ({
  role: 'cs_1',
  actsAs: profile === 'shop-dev' ? 'cs_maker' : null,
})

/** The decision on one statement. */
export function decided(
  profile: string,
  sql: string,
  {
    catalog = exampleCatalog(),
    subject = {},
    mayHaveTemporary = false,
    raisedRoles = [],
    namesInDoubt = false,
    types = [],
  }: {
    catalog?: Catalog
    subject?: Partial<RequestSubject>
    mayHaveTemporary?: boolean
    raisedRoles?: readonly string[]
    namesInDoubt?: boolean
    types?: DescribedType[]
  } = {},
): RequestDecision {
  const asked = subjectOf(profile, sql, subject)
  const content = { ...intercepted().content, kind: asked.kind }
  const request = intercepted({ content, raisedRoles, namesInDoubt })
  const rules = { catalog, policies: policiesOf(catalog), catalogOffset: 1 }
  const session = admitted(profile, catalog)
  const described = { ...target(profile), types }
  const inForce = targetInForce(described, session.profile, asked.settings)
  if (inForce === null) throw new Error('the profile does not list this path')
  const beside = { mayHaveTemporary, ownRoles: ownRolesOf(credential(profile), raisedRoles) }
  const steps = requestDecision(request, {
    ...{ session, target: inForce, subject: asked, rules, at: NOW, ...beside },
    understood: understood(asked.text, inForce, besideText(asked, beside)),
  })
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}
