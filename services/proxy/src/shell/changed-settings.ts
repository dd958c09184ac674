import type { ChangedSetting, RequestAllowed } from '@countersign/contracts'
import { sha256 } from '@countersign/kernel'
import { literal, isSamePath, namedSettings } from '@countersign/statements'
import type { Ask } from '../core/pipeline-plan.ts'
import { readOtherwise } from '../core/statement-names.ts'
import { ownQueryAmidst } from './own-query.ts'
import { settingOf } from './search-path.ts'
import type { Session } from './session-state.ts'

/**
 * Makes sure that the settings under which a request is read are known: those that can change what a text means, and that
 * are not the target's own. They are part of what is decided and approved. The backend is asked once after each change
 * of the state of the session; in a failed transaction nothing can be asked, and nothing runs. False where the backend failed,
 * or had failed in this pipeline: so did the agent.
 */
export async function currentSettings(session: Session): Promise<boolean> {
  if (session.settingsVersion === session.stateVersion || session.status === 'E') return true
  // After an error the target answers nothing before Sync.
  if (session.exchange.skipping) return false
  const names = [...session.customSettings]
  // A time limit that the agent has set, or its cancel that came late, ends the question as it would end the statement.
  const rows = await ownQueryAmidst(session, sqlOf(names))
  // A text must not be approved under settings that are not known.
  if (rows === null) return false
  session.settingsVersion = session.stateVersion
  const before = whatTextsAreReadUnder(session)
  session.settings = rows
    .map(([name, value]) => ({ name: String(name ?? ''), value: String(value ?? '') }))
    .filter(({ name }) => !isWithoutMeaning(name))
    .map(shortened)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  if (!isSamePath(session.searchPath, session.pathRules.own))
    session.settings = [
      ...session.settings,
      { name: 'search_path', value: settingOf(session.searchPath) },
    ]
  if (session.hasUnknownSettings) session.settings = [...session.settings, UNKNOWN]
  if (whatTextsAreReadUnder(session) !== before) readOtherwise(session.names)
  return true
}

/** The settings that texts are read under; those of applications and extensions (with a dot) count only at run time. */
const whatTextsAreReadUnder = ({ settings }: Session): string =>
  JSON.stringify(settings.filter((one) => one !== UNKNOWN && !one.name.includes('.')))

/**
 * Makes sure that the settings are those that a request was asked about with. In a transaction that changed the state of
 * the session, a rollback to a savepoint or an error may have undone it since, which no text of a statement says. False where
 * the backend failed: so did the agent.
 */
export async function settingsConfirmed(session: Session): Promise<boolean> {
  if (session.status !== 'T' || !session.hasChangedState) return true
  const before = JSON.stringify(session.settings)
  session.settingsVersion = -1
  if (!(await currentSettings(session))) return false
  if (JSON.stringify(session.settings) === before) return true
  session.stateVersion++
  session.settingsVersion = session.stateVersion
  return true
}

/**
 * Notes a setting as the target reports it. Code that ran (a trigger, a default), or a reload, may have set it, which no text
 * says: what texts are read under is asked for again.
 */
export function noteReportedSetting(session: Session, name: string, value: string): void {
  if (!REPORTED.has(name) || session.reported.get(name) === value) return
  session.reported.set(name, value)
  session.stateVersion++
}

/** True if a setting changes nothing that a text means. */
export const isWithoutMeaning = (name: string): boolean => NO_MEANING.has(name.toLowerCase())

/** Remembers the settings of applications that a request sets: PostgreSQL lists none of them. Policy tells those of a long text. */
export function noteCustomSettings(
  session: Session,
  { sql, bind, executes }: Pick<Ask, 'sql' | 'bind' | 'executes'>,
  { redefines, isOpaque }: Pick<RequestAllowed, 'redefines'> & { readonly isOpaque: boolean },
): void {
  const names =
    redefines === null
      ? [namedSettings(sql, bind?.values ?? []), ...executes.map(({ text }) => namedSettings(text))]
      : [redefines.settings]
  if (isOpaque || names.includes(null)) session.hasUnknownSettings = true
  for (const name of names.flatMap((some) => some ?? [])) {
    if (session.customSettings.size < CUSTOM_SETTINGS_MAX) session.customSettings.add(name)
    else session.hasUnknownSettings = true
  }
}

/**
 * The query for the changed settings. Source `session`: set in it; `client`: given by the agent when it began. A setting
 * that is back at the target's own value changes nothing. Every name has its schema, whatever the search_path is.
 */
function sqlOf(custom: readonly string[]): string {
  const listed = `select s.name, s.setting from pg_catalog.pg_settings s
    where s.source operator(pg_catalog.=) 'client'
      or s.source operator(pg_catalog.=) 'session' and s.setting is distinct from s.reset_val`
  const named = custom.map(
    (name) => `select ${literal(name)}, pg_catalog.current_setting(${literal(name)}, true)`,
  )
  return [listed, ...named].join(' union all ')
}

const shortened = ({ name, value }: ChangedSetting): ChangedSetting =>
  value.length <= VALUE_CHARACTERS_MAX
    ? { name, value }
    : { name, value: `${value.length} characters with the SHA-256 ${sha256('', value)}` }

/** Settings that only Countersign sets, the path that is known without asking (`search-path.ts`), and settings that change presentation, time limits and costs alone. */
const NO_MEANING: ReadonlySet<string> = new Set([
  ...['client_encoding', 'standard_conforming_strings', 'backslash_quote', 'application_name'],
  'search_path',
  ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'],
  ...['transaction_timeout', 'idle_session_timeout', 'client_min_messages', 'lc_messages'],
  ...['extra_float_digits', 'work_mem', 'maintenance_work_mem', 'temp_buffers', 'jit'],
  ...['hash_mem_multiplier', 'effective_cache_size', 'random_page_cost', 'seq_page_cost'],
  ...['transaction_isolation', 'transaction_read_only', 'transaction_deferrable'],
])
/** Settings that change what a text means, and that PostgreSQL reports. */
const REPORTED: ReadonlySet<string> = new Set(['DateStyle', 'IntervalStyle', 'TimeZone'])
const VALUE_CHARACTERS_MAX = 1_000
const CUSTOM_SETTINGS_MAX = 100
/** Stands for settings that cannot be asked for, as their names are not known. */
const UNKNOWN: ChangedSetting = {
  name: '…',
  value:
    'this session may have set further settings of applications, under names that are not known',
}
