import { z } from 'zod'
import { KINDS, profileOf } from '../libs/catalog/src/kinds.ts'

/** The fields of every kind of the catalog as Markdown tables: name, type, default and meaning of each field. */
export function catalogFields(): string {
  const unused = new Set(Object.keys(MEANINGS))
  const tables = Object.entries(KINDS).map(([kind, spec]) => {
    const rows = fieldsOf(inputSchema(spec), '').map(({ path, type, required, standard }) => {
      const name = `${kind}.${path}`
      const meaning = MEANINGS[name]
      // A field without a meaning is an error, so that no page lists a field that nobody explained.
      if (meaning === undefined)
        throw new Error(`docs/catalog-fields.ts does not say what ${name} means`)
      unused.delete(name)
      const without = required ? 'required' : (STANDARDS[name] ?? standard)
      return `| \`${path}\` | ${type} | ${without} | ${meaning} |`
    })
    return [
      `### ${kind}\n`,
      '| field | type | default | meaning |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n')
  })
  if (unused.size > 0) throw new Error(`no kind has the field ${[...unused].join(', ')}`)
  return tables.join('\n\n')
}

/** The part of JSON Schema that zod writes for our kinds. */
type Schema = {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly string[]
  readonly const?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly propertyNames?: Schema
  readonly additionalProperties?: Schema | boolean
  readonly default?: unknown
}

type Field = {
  readonly path: string
  readonly type: string
  readonly required: boolean
  readonly standard: string
}

const inputSchema = (spec: z.ZodType): Schema =>
  // The JSON Schema of zod has more members than this file uses.
  z.toJSONSchema(spec, { io: 'input', unrepresentable: 'any' }) as Schema

function fieldsOf(schema: Schema, prefix: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`
    const required = schema.required?.includes(name) === true
    if (field.properties !== undefined) return fieldsOf(field, `${path}.`)
    if (field.items?.properties !== undefined) {
      const list = { path, type: `list${boundsOf(field)}`, required, standard: standardOf(field) }
      return [list, ...fieldsOf(field.items, `${path}[].`)]
    }
    return [{ path, type: typeOf(field), required, standard: standardOf(field) }]
  })
}

function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ')
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  if (schema.items !== undefined) return `list${boundsOf(schema)} of: ${typeOf(schema.items)}`
  if (schema.propertyNames !== undefined && typeof schema.additionalProperties === 'object')
    return `map from ${typeOf(schema.propertyNames)} to a ${typeOf(schema.additionalProperties)}`
  if (schema.pattern !== undefined) {
    const known = PATTERNS[schema.pattern]
    if (known === undefined)
      throw new Error(`docs/catalog-fields.ts has no words for ${schema.pattern}`)
    return known
  }
  if (schema.type === 'integer') return `whole number${boundsOf(schema)}`
  return schema.type === 'string' ? 'text' : (schema.type ?? 'anything')
}

function boundsOf({ minimum, maximum, minItems, maxItems }: Schema): string {
  const [low, high] = [minimum ?? minItems, maximum ?? maxItems]
  if (high !== undefined && high < Number.MAX_SAFE_INTEGER) return ` (${low ?? 0} to ${high})`
  return low === undefined ? '' : ` (at least ${low})`
}

function standardOf(schema: Schema): string {
  const { default: value } = schema
  if (value === undefined) return schema.items === undefined ? '–' : 'empty'
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : `\`[${value.join(', ')}]\``
  return typeof value === 'object' ? 'empty' : `\`${String(value)}\``
}

/** A profile that sets no limits, and so has the default ones. */
const usual = profileOf(
  'any',
  KINDS.ConnectionProfile.parse({
    environment: 'any',
    postgres: { host: 'h', port: 1, database: 'd', tls: 'require', adminSecret: 'file:a' },
    roles: { base: ['r'] },
  }),
)

/** Defaults that come into force after the file was read, so they are taken from the code and not from the schema. */
const STANDARDS: Readonly<Record<string, string>> = {
  'ConnectionProfile.limits.sessionMax': `\`${usual.sessionMaxMs / 3_600_000}h\``,
  'ConnectionProfile.limits.rowsMax': `\`${usual.rowsMax}\``,
  'ConnectionProfile.limits.holdInTransactionMax': `\`${usual.holdInTransactionMaxMs / 1_000}s\``,
  'ConnectionProfile.limits.holdAfterWriteMax': `\`${usual.holdAfterWriteMaxMs / 1_000}s\``,
  'ConnectionProfile.limits.raisedIdleMax': `\`${usual.raisedIdleMaxMs / 1_000}s\``,
  'MaskingRules.tainted': `\`${KINDS.MaskingRules.parse({}).tainted}\``,
}

/** The words for each form of a text, by its pattern in `libs/catalog/src/fields.ts` and `kinds.ts`. */
const PATTERNS: Readonly<Record<string, string>> = {
  '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$': 'name',
  '^[A-Za-z0-9.:_-]+$': 'host name or address',
  '^file:[A-Za-z0-9._-]+$': '`file:<name>`',
  '^(?!cs_)[a-z_][a-z0-9_$]{0,62}$': 'role',
  '^[1-9]\\d{0,8}(ms|s|m|h|d)$': 'duration',
  '.*\\.cedar$': 'name of a `.cedar` file',
  '^[A-Za-z0-9_*]+$': 'pattern',
  '^(?!pg_)[A-Za-z_][A-Za-z0-9_$-]{0,62}\\*?$': 'schema',
}

const MEANINGS: Readonly<Record<string, string>> = {
  'ConnectionProfile.environment':
    'The environment of the target. It decides which reviewers, policies and masking rules count.',
  'ConnectionProfile.postgres.host': 'Where PostgreSQL is, as seen by the proxy and the broker.',
  'ConnectionProfile.postgres.port': 'Its port.',
  'ConnectionProfile.postgres.database': 'The database. Agents give the name of the profile.',
  'ConnectionProfile.postgres.tls':
    'How the target is verified: its certificate and host name; its certificate; TLS without verification. There is no mode without TLS.',
  'ConnectionProfile.postgres.adminSecret':
    'The login of the credential broker: a file `<name>` in its folder `CS_SECRETS_DIR` with `{"user": …, "password": …}`. The secret itself never stands in the catalog.',
  'ConnectionProfile.roles.base':
    'Roles of the target that each session has from its start, without any approval. They must not be able to create anything.',
  'ConnectionProfile.roles.owner':
    'The role that owns the tables. What an approved statement creates is given to it. Without it, that stays with the role of the session, which is put aside.',
  'ConnectionProfile.roles.raised':
    'Roles that are lent to a session for one approved request, by its effect, and taken back afterwards.',
  'ConnectionProfile.limits.sessionMax': 'How long a session may last.',
  'ConnectionProfile.limits.rowsMax':
    'How many rows may be sent to the agent in one transaction, by whatever protocol; more ends the session (`CS_SESSION_LIMIT`).',
  'ConnectionProfile.limits.holdInTransactionMax':
    'How long people may think while the transaction keeps its snapshot (REPEATABLE READ, SERIALIZABLE). `0` refuses at once.',
  'ConnectionProfile.limits.holdAfterWriteMax':
    'How long people may think after the transaction has written or locked something. `0` refuses at once.',
  'ConnectionProfile.limits.raisedIdleMax':
    'How long a transaction with a lent role may be idle; then the session ends.',
  'ConnectionProfile.limits.tokenExpiry':
    'Whether a session ends when its token expires, or lasts up to `sessionMax`.',
  'ConnectionProfile.mayCreate':
    'Whether the base roles may create tables, temporary tables, types and functions without people, where the target grants it. What a session creates is then not what people countersigned: for development only.',
  'ConnectionProfile.searchPaths':
    'The values of `search_path` that a session may set beside the target\u2019s own, each a schema or a list of schemas in their order. `*` at the end of a name stands for the rest of it: `tenant_*`. Functions and operators of these schemas must be as trustworthy as those of the target\u2019s own path.',
  'ConnectionProfile.record':
    'Whether the results that the agent saw are recorded too, masked, or the statements only. `@record` of a policy comes before it.',
  'Chain.stages': 'The stages, one after the other.',
  'Chain.stages[].name': 'The name of the stage; notices and events use it.',
  'Chain.stages[].reviewers': 'The name of a Reviewers definition.',
  'Chain.stages[].mode':
    '`any`: one person of any group. `all`: one person of each group. `quorum`: as many distinct people as `quorum` says.',
  'Chain.stages[].quorum': 'How many people; only with, and then required by, mode `quorum`.',
  'Chain.stages[].deadline': 'How long the stage waits before the request expires.',
  'Chain.stages[].distinctFrom':
    'Who may not countersign here: the agent, the people it acts for, those who countersigned an earlier stage. Agents never may.',
  'Chain.copyData':
    'Whether people approve a `COPY … FROM STDIN` before its data are sent (`unseen`), or with them (`held`): then the agent sends the data first, up to `CS_COPY_DATA_BYTES_MAX` of the proxy, and they are part of what is shown and countersigned.',
  'Reviewers.environment': 'The environment that they review; no chain of another one takes them.',
  'Reviewers.groups': 'The groups in the token of a person, any of which makes a reviewer.',
  'PolicySet.files':
    'The Cedar files of the set, in the same folder. All sets in force together are the policy.',
  'MaskingRules.environments':
    'Where the rules count; empty for everywhere. Rules of a named environment come first, and no environment has two.',
  'MaskingRules.tags':
    'The tags that rules may give and policies may ask for. Empty: those that the rules give.',
  'MaskingRules.columns':
    'Which columns are masked. Each rule needs one of the three patterns; capital and small letters are the same. Of several rules for a column the first counts, so the same pattern twice with two methods is refused, and a rule behind a wider one is a warning.',
  'MaskingRules.columns[].schema': 'A schema; `*` stands for any characters.',
  'MaskingRules.columns[].table': 'A table or view.',
  'MaskingRules.columns[].column': 'A column.',
  'MaskingRules.columns[].tag':
    'The kind of value; policies see it in `resource.tags` and `context.statement.touchesTagged`.',
  'MaskingRules.columns[].method':
    'How: `redact` hides the whole, `partial` leaves a part that is of use, `pseudonym` gives equal values equal names, `null` gives NULL.',
  'MaskingRules.columns[].inference':
    "What a statement may tell about the values without returning one, with `count(*) … WHERE email LIKE 'a%'` for example. `allow` lets it pass; `mask` masks everything that a statement computes when it touches such a column, or one that the description of the target does not have (a temporary table). Of a table and its partitions the strictest rule counts. Which rows of other columns it returns still tells; a policy may forbid that by `context.statement.touchesTagged`.",
  'MaskingRules.untagged':
    'What becomes of columns without a tag, in an environment that rules are for. Where no MaskingRules are for it everything is masked, whatever it is; `apply` and `doctor` warn of that.',
  'MaskingRules.tainted':
    'How a computed column is masked when its statement touches a tagged column.',
  'MaskingRules.detectors': 'Values that are looked for in all text that passes.',
  'MaskingRules.detectors[].name': 'The kind of value that the detector finds.',
  'MaskingRules.detectors[].method': 'How what was found is masked.',
  'MaskingRules.passwordLike':
    'How columns are masked whose names look like secrets (`password_hash`) and that have no rule; `none` leaves them.',
}
