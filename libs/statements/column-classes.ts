/** The kinds of content that a column of pg_catalog or information_schema shows. */
export type ColumnClass = 'harmless' | 'names' | 'definitions' | 'values'

/**
 * The class of a column, by its name and type; null for a column that is not classified yet.
 * - values: what users stored or wrote: statistics, statements of sessions, settings of roles, databases and functions, options of foreign
 *   servers, bodies of functions, passwords. Masked unless a rule says otherwise.
 * - definitions: expressions and words that belong to the schema. Tools cannot work without them; detectors look through them.
 * - names of objects, and harmless: numbers, flags, times, OIDs, words of PostgreSQL itself.
 */
export function columnClass(relation: string, column: string, type: string): ColumnClass | null {
  const name = `${relation}.${column}`
  const rule = RULES.find(([, pattern]) => pattern.test(name))
  if (rule !== undefined) return rule[0]
  if (NAMES.has(type)) return 'names'
  return HARMLESS.has(type) ? 'harmless' : null
}

const RULES: readonly (readonly [ColumnClass, RegExp])[] = [
  // Statistics are samples of rows.
  ['values', /^pg_catalog\.pg_statistic\.(?!starelid$|staattnum$|stainherit$)/],
  ['values', /^pg_catalog\.pg_stats\.(?!schemaname$|tablename$|attname$|inherited$)/],
  ['definitions', /^pg_catalog\.pg_stats_ext(_exprs\.expr|\.exprs)$/],
  [
    'values',
    /^pg_catalog\.pg_stats_ext(_exprs)?\.(?!(statistics_)?(schemaname|name|owner)$|tablename$|attnames$|kinds$|inherited$)/,
  ],
  ['values', /^pg_catalog\.pg_statistic_ext_data\.stxd(?!inherit$)/],
  ['values', /^pg_catalog\.pg_attribute\.attmissingval$/],
  ['values', /^pg_catalog\.pg_largeobject\.data$/],
  // Statements of other sessions, and the identities that those sessions have.
  ['values', /^pg_catalog\.pg_stat_activity\.query$/],
  ['values', /^pg_catalog\.(pg_prepared_statements|pg_cursors)\.statement$/],
  ['values', /^pg_catalog\.pg_backend_memory_contexts\.ident$/],
  ['values', /^pg_catalog\.pg_stat_ssl\.(client_dn|client_serial|issuer_dn)$/],
  ['values', /^pg_catalog\.pg_stat_gssapi\.principal$/],
  // Secrets and settings.
  ['values', /^pg_catalog\.(pg_authid|pg_roles)\.(rolpassword|rolconfig)$/],
  ['values', /^pg_catalog\.(pg_shadow|pg_user)\.(passwd|useconfig)$/],
  ['values', /^pg_catalog\.(pg_db_role_setting\.setconfig|pg_proc\.proconfig)$/],
  ['values', /^pg_catalog\.pg_file_settings\.(setting|error)$/],
  ['values', /^pg_catalog\.pg_hba_file_rules\.(address|netmask|options|database|user_name|error)$/],
  ['values', /^pg_catalog\.pg_ident_file_mappings\.(sys_name|pg_username|error)$/],
  ['values', /^pg_catalog\.pg_subscription\.subconninfo$/],
  ['values', /^pg_catalog\.pg_stat_wal_receiver\.(conninfo|sender_host)$/],
  // Options of foreign servers, their users, tables and columns: addresses, users, passwords.
  ['values', /^\w+\.\w+\.(fdwoptions|srvoptions|umoptions|ftoptions|attfdwoptions)$/],
  ['values', /^information_schema\.\w+\.option_value$/],
  ['values', /^information_schema\._pg_\w+\.\w*options$/],
  // Bodies of functions.
  ['values', /^pg_catalog\.pg_proc\.(prosrc|prosqlbody)$/],
  ['values', /^information_schema\.routines\.routine_definition$/],
  // Parts of a schema that tools show.
  [
    'definitions',
    /\.(\w*definition|\w*default|\w*expression|check_clause|action_(condition|statement))$/,
  ],
  ['definitions', /^pg_catalog\.pg_attrdef\.adbin$/],
  ['definitions', /^pg_catalog\.pg_(constraint\.conbin|index\.ind(exprs|pred)|indexes\.indexdef)$/],
  [
    'definitions',
    /^pg_catalog\.pg_(class\.(relpartbound|reloptions)|partitioned_table\.partexprs)$/,
  ],
  ['definitions', /^pg_catalog\.pg_(policies\.(qual|with_check)|policy\.pol(qual|withcheck))$/],
  ['definitions', /^pg_catalog\.pg_proc\.(proargdefaults|proargnames|probin)$/],
  ['definitions', /^pg_catalog\.pg_publication(_rel\.prqual|_tables\.rowfilter)$/],
  ['definitions', /^pg_catalog\.pg_rewrite\.ev_(action|qual)$/],
  ['definitions', /^pg_catalog\.pg_statistic_ext\.stxexprs$/],
  ['definitions', /^pg_catalog\.pg_trigger\.tg(args|qual)$/],
  ['definitions', /^pg_catalog\.pg_type\.typdefault(bin)?$/],
  ['definitions', /^pg_catalog\.pg_(sh)?description\.description$/],
  ['definitions', /^pg_catalog\.pg_(sh)?seclabels?\.label$/],
  ['definitions', /^pg_catalog\.pg_aggregate\.agg(m?)initval$/],
  [
    'definitions',
    /^pg_catalog\.pg_(ts_dict\.dictinitoption|event_trigger\.evttags|extension\.extcondition)$/,
  ],
  ['definitions', /^pg_catalog\.pg_(attribute\.attoptions|tablespace\.spcoptions)$/],
  // Placeholders, as applications make them (app.user), are never among these: PostgreSQL hides them.
  ['definitions', /^pg_catalog\.pg_settings\.(setting|boot_val|reset_val|sourcefile)$/],
  ['definitions', /^pg_catalog\.pg_(file_settings\.sourcefile|\w+\.file_name)$/],
  // Names and words that are texts.
  [
    'names',
    /\.(\w*name|appname|externalid|external_id|gid|slot_name|suborigin|subpublications|attnames|client_addr|target_desc)$/,
  ],
  [
    'names',
    /^pg_catalog\.pg_(seclabels\.obj\w+|\w*seclabel\w*\.provider|policies\.roles|parameter_acl\.parname|replication_origin\.roname)$/,
  ],
  ['names', /^pg_catalog\.pg_(foreign_server\.srv(type|version)|publication_tables\.attnames)$/],
  ['harmless', /^pg_catalog\.pg_(database|collation)\.(dat|coll)\w+$/],
  [
    'harmless',
    /^pg_catalog\.pg_(aios|available_extension\w*|extension|config|locks|shmem_allocations\w*|timezone_\w+|wait_events)\.\w+$/,
  ],
  [
    'harmless',
    /^pg_catalog\.pg_stat_(?!ements)\w+\.(\w*state|\w*status|type|wait_event\w*|backend_type|command|phase|object|context|version|cipher|worker_type|last_\w+_wal|\w+_lag)$/,
  ],
  [
    'harmless',
    /^pg_catalog\.pg_settings\.(category|context|enumvals|extra_desc|max_val|min_val|short_desc|source|unit|vartype)$/,
  ],
  [
    'harmless',
    /^pg_catalog\.pg_(hba_file_rules\.(type|auth_method)|backend_memory_contexts\.(parent|type)|subscription\.subsynccommit)$/,
  ],
  [
    'harmless',
    /^pg_catalog\.pg_(replication_slots\.(invalidation_reason|slot_type|wal_status)|policies\.(cmd|permissive))$/,
  ],
  // Words and numbers of the standard.
  ['harmless', /^information_schema\.\w+\.(?!\w*options$)\w+$/],
]

const NAMES: ReadonlySet<string> = new Set([
  'name',
  '_name',
  'sql_identifier',
  'regproc',
  'regtype',
  '_regtype',
  '_aclitem',
])
const HARMLESS: ReadonlySet<string> = new Set([
  ...[
    'oid',
    '_oid',
    'oidvector',
    'int2',
    '_int2',
    'int2vector',
    'int4',
    '_int4',
    'int8',
    'float4',
    'float8',
    'numeric',
  ],
  ...['bool', 'char', '_char', 'timestamptz', 'interval', 'xid', 'pg_lsn', 'cid', 'tid'],
])
