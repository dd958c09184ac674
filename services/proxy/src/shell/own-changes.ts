import { maskingRulesFor } from '@countersign/catalog'
import type { RequestAllowed, ReviewRequired } from '@countersign/contracts'
import { commandTagOf, type ServerFrame } from '@countersign/postgres-wire'
import { setsTransactionMode, transactionTurn } from '@countersign/statements'
import {
  namesakesIn,
  namesKnown,
  NOTHING_CHANGED,
  NOTHING_OWN,
  type OwnChanges,
  ownChangesOf,
  type OwnPlan,
  ownPlanOf,
  type OwnRelation,
  type SeenColumn,
  type SeenRelation,
  unclear,
  undescribedAmong,
} from '../core/own-changes.ts'
import { isOpaque } from '../core/opaque.ts'
import { turnOf } from '../core/told-text.ts'
import { changesSchema, controlsTransaction } from './next-transaction.ts'
import { type OwnRows, ownQueryAmidst } from './own-query.ts'
import type { Pending } from './requests.ts'
import type { Session } from './session-state.ts'

/** The changes of the schema that a session made itself, and what may have been written into them. */
export type OwnState = {
  /** The changes of the open transaction, and temporary relations; null until the backend was asked for them. */
  changes: OwnChanges | null
  /** The transaction did something that may change what names mean, other than by tables, their indexes, sequences and views. */
  isOdd: boolean
  /** The transaction may have written tagged values somewhere. */
  hasMoved: boolean
  /** Any transaction of the session may have, so that they may stand in temporary relations. */
  hasEverMoved: boolean
  mayHaveTemporary: boolean
  /** A change since the backend was asked may have given relations the rows of others. */
  mayHaveHeirs: boolean
  /** The changes were made in a transaction that is over, and are not described: the backend does not tell them any more. */
  areOver: boolean
}

export const newOwnState = (): OwnState => ({
  changes: NOTHING_CHANGED,
  isOdd: false,
  hasMoved: false,
  hasEverMoved: false,
  mayHaveTemporary: false,
  mayHaveHeirs: false,
  areOver: false,
})

type Decision = RequestAllowed | ReviewRequired

/** The facts about a request that is released behind changes of its own session. */
export type BehindChanges = {
  /** Its decision holds although the transaction changed the schema. */
  readonly isKnown: boolean
  /** Only relations of the session itself taint it, and they hold nothing tagged. */
  readonly isPlain: boolean
  /** It may write tagged values somewhere. */
  readonly moves: boolean
}

/** Judges a request by the changes that were made before it. */
export function behindChanges(session: Session, decision: Decision): BehindChanges {
  const { own, described } = session
  const relations = readable(session)
  const isSettled = own.changes?.isClear === true && !own.isOdd && !own.hasMoved
  const isKnown =
    !isInDoubt(session) || (isSettled && namesKnown(described, decision.effects, relations))
  const among = isKnown ? undescribedAmong(decision, relations) : null
  const isTainted = decision.tainted && among === null
  return {
    isKnown,
    isPlain: among?.every(({ tagged }) => tagged.length === 0) === true,
    moves: (isTainted || !isKnown) && !decision.effects.every(writesNothing),
  }
}

/** Notes what a request may change for those behind it, when it is released. */
export function noteOwnChanges(
  session: Session,
  { ask: { sql }, decision, moves }: Pick<BehindChanges, 'moves'> & Released,
): void {
  const { own } = session
  const { effects } = decision
  const runsCode = isOpaque(decision)
  if (runsCode) own.isOdd = true
  if (runsCode || moves) own.hasMoved = own.hasEverMoved = true
  if (!session.isSchemaInDoubt) return
  const isChange = effects.some(changesSchema)
  if (isChange && (sql === null || GIVES_ROWS.test(sql))) own.mayHaveHeirs = true
  // A change behind the end of the transaction is no change of the next one, and not described yet.
  if (effects.some(controlsTransaction) && (sql === null || turnOf(sql, decision) !== 'None'))
    own.isOdd = own.areOver = true
  // ROLLBACK TO undoes changes.
  if (isChange || effects.some(controlsTransaction)) forgetOwnChanges(session)
  if (
    runsCode ||
    effects.some(({ effect, table }) => effect === 'session-change' && table !== null)
  )
    own.mayHaveTemporary = true
}

type Released = { readonly ask: Pick<Pending['ask'], 'sql'>; readonly decision: Decision }

/**
 * The OIDs of the relations whose columns may show others than they did in the open transaction: a view that is replaced keeps
 * its OID, a materialized one may be filled from it, a generated column may be given another expression, and a table may show
 * rows of others since.
 */
export function hiddenIn({ own, described }: Session): ReadonlySet<number> {
  const { relations } = described
  const changes = own.changes ?? (own.mayHaveHeirs ? ANY_ROWS : NOTHING_CHANGED)
  const known = HIDDEN.get(relations)
  if (known?.changes === changes) return known.oids
  const { hidden } = changes === ANY_ROWS ? unclear(described) : changes
  const oids = new Set([...relations.filter(isMadeOfOthers).map(({ oid }) => oid), ...hidden])
  HIDDEN.set(relations, { changes, oids })
  return oids
}

const isMadeOfOthers = ({ kind, computed }: Session['described']['relations'][number]): boolean =>
  kind.endsWith('view') || computed === null || computed.length > 0

/** The set that was made last for a description: one for each request would be as large as the target. */
const HIDDEN = new WeakMap<
  Session['described']['relations'],
  { readonly changes: OwnChanges; readonly oids: ReadonlySet<number> }
>()
/** Stands for changes by which any relation may show rows of others. */
const ANY_ROWS: OwnChanges = { ...NOTHING_CHANGED, isClear: false }

/** The part of a masking plan for the relations of the session itself that hold nothing tagged. */
export function ownPlan(session: Session): OwnPlan {
  if (session.plan.masksNothing === true) return NOTHING_OWN
  const relations = readable(session)
  const known = PLANS.get(relations)
  if (known !== undefined) return known
  const plan = ownPlanOf(relations)
  PLANS.set(relations, plan)
  return plan
}

/** The plans of relations, since one is asked for with each request. */
const PLANS = new WeakMap<readonly OwnRelation[], OwnPlan>()

/** True if the transaction changed the schema in ways by which a name may mean what is masked, or masked values were written. */
export const areNamesInDoubt = (session: Session): boolean =>
  isInDoubt(session) &&
  session.plan.masksNothing !== true &&
  (session.own.changes?.isClear !== true || session.own.isOdd || session.own.hasMoved)

/** True if the session changed the schema and that is not described yet, or has temporary relations in front of others. */
export const isInDoubt = ({ isSchemaInDoubt, own }: Session): boolean =>
  isSchemaInDoubt || (own.mayHaveTemporary && own.changes?.isClear !== true)

/** Forgets the changes until the backend is asked again; that some show rows of others stays known. */
export function forgetOwnChanges({ own }: Pick<Session, 'own'>): void {
  own.mayHaveHeirs ||= (own.changes?.hidden.size ?? 0) > 0
  own.changes = null
}

/** Takes the changes for unknown until they are described, which is late: any relation may show rows of others. */
export function ownChangesLate({ own }: Session): void {
  own.isOdd = own.areOver = own.mayHaveHeirs = true
  own.changes = null
}

/** Forgets the changes of a transaction that ended; temporary relations stay. */
export function ownChangesEnded({ own }: Session): void {
  own.changes = own.mayHaveTemporary ? null : NOTHING_CHANGED
  own.isOdd = false
  own.hasMoved = false
  own.mayHaveHeirs = false
  own.areOver = false
}

/** Looks at the tag of a command that the target completed: behind one that is not in COMMANDS, names may mean other relations. */
export function noteCommand(session: Session, frame: ServerFrame, isBeside: boolean): void {
  if (!session.isSchemaInDoubt) return
  const tag = commandTagOf(frame)
  const isKnown = tag.ok && COMMANDS.test(tag.value)
  const isSecond = session.exchange.commandTag?.includes(';') === true
  if (!isKnown || (isBeside && isSecond)) session.own.isOdd = true
}

/**
 * Asks the backend for the relations that its open transaction made or changed, before the next request is decided on. False
 * where it failed: then the agent has its error.
 */
export async function ownChangesAsked(
  session: Session,
  asks: readonly Pick<Pending['ask'], 'sql'>[],
): Promise<boolean> {
  const { own, plan, proxy, profile, described, searchPath } = session
  const isWanted = session.isSchemaInDoubt || own.mayHaveTemporary
  if (own.changes !== null || !isWanted || plan.masksNothing === true) return true
  if (asks.length === 0 || asks.every(({ sql }) => needsNoAnswer(sql))) return true
  if (own.areOver) {
    own.changes = own.mayHaveHeirs ? unclear(described) : { ...NOTHING_CHANGED, isClear: false }
    return true
  }
  const rules = maskingRulesFor(proxy.catalog(), profile.environment)
  const namesakes = namesakesIn(described, searchPath)
  if (rules === null || namesakes.length > NAMESAKES_MAX) {
    own.changes = unclear(described)
    return true
  }
  const rows = await ownQueryAmidst(session, SEEN)
  if (rows === null) return false
  let gone: readonly number[] = []
  if (namesakes.length > 0) {
    const there = await ownQueryAmidst(session, existing(namesakes))
    if (there === null) return false
    const oids = new Set(there.map(([oid]) => Number(oid)))
    gone = namesakes.filter((oid) => !oids.has(oid))
  }
  own.mayHaveHeirs = false
  const seen = rows.length > SEEN_MAX ? [] : seenIn(rows)
  const isTooMuch =
    session.described !== described ||
    session.plan !== plan ||
    rows.length > SEEN_MAX ||
    seen.some(({ inherits }) => inherits.length > PARENTS_MAX)
  own.changes = isTooMuch
    ? unclear(session.described)
    : ownChangesOf(seen, { described, plan, rules, gone })
  return true
}

/** The relations of the session itself into which nothing tagged was written. */
function readable({ own }: Session): readonly OwnRelation[] {
  if (own.changes === null || own.isOdd) return NOTHING_READABLE
  const { relations } = own.changes
  if (!own.hasMoved && !own.hasEverMoved) return relations
  if (own.hasMoved && own.hasEverMoved) return NOTHING_READABLE
  const known = LASTING.get(relations)
  if (known?.areTemporary === own.hasMoved) return known.relations
  const found = relations.filter(({ isTemporary }) => isTemporary === own.hasMoved)
  LASTING.set(relations, { areTemporary: own.hasMoved, relations: found })
  return found
}

/** Of relations only the temporary ones, or only the others. */
const LASTING = new WeakMap<
  readonly OwnRelation[],
  { readonly areTemporary: boolean; readonly relations: readonly OwnRelation[] }
>()

const NOTHING_READABLE: readonly OwnRelation[] = []

const writesNothing = ({ effect }: RequestAllowed['effects'][number]): boolean =>
  effect === 'read' || effect === 'transaction'

/** Words without which no relation comes to show rows of another. */
const GIVES_ROWS = /inherit|attach|rule/i

/** A text that only ends the transaction, or that nothing may come before. */
const needsNoAnswer = (sql: string | null): boolean =>
  sql !== null && (transactionTurn(sql) === 'Ends' || setsTransactionMode(sql))

function seenIn(rows: OwnRows): readonly SeenRelation[] {
  // No cell that is read as a name or a number is NULL but those of a relation without columns.
  const texts = rows.map((row) => row.map((cell) => cell?.toString() ?? ''))
  return [...Map.groupBy(texts, ([oid]) => oid).values()].map((columns) => {
    const [oid, schema = '', name = '', kind = '', isTemporary, hasRules, hasNewRules, ...more] =
      columns[0] ?? []
    const [hasHeirs] = more
    // It stands with one of its columns alone.
    const inherits = columns.map((cells) => cells[INHERITS] ?? '').join('')
    return {
      ...{ oid: Number(oid), schema, name, kind },
      ...{ isTemporary: isTemporary === 't', hasRules: hasRules === 't' },
      ...{ hasNewRules: hasNewRules === 't', hasHeirs: hasHeirs === 't' },
      inherits: inherits === '' ? [] : inherits.split(' ').map(Number),
      columns: columns.map((cells) => cells.slice(RELATION_CELLS)).flatMap(columnIn),
    }
  })
}

const columnIn = ([
  attnum,
  name = '',
  typeOid,
  label = '',
  isGenerated,
]: readonly string[]): SeenColumn[] =>
  attnum === '' || attnum === undefined
    ? []
    : [
        {
          ...{ attnum: Number(attnum), name, typeOid: Number(typeOid) },
          ...{ label: label === '' ? null : label, isGenerated: isGenerated === 't' },
        },
      ]

/**
 * A row that the open transaction wrote, or one behind it: what others wrote since is looked at too, and is as described
 * then. Savepoints have higher numbers than their transaction.
 */
const written = (row: string): string => `pg_catalog.age(${row}.xmin) operator(pg_catalog.<=) 0`

const RELATION_CELLS = 9
const INHERITS = 8
/** The most columns of relations that are looked at, since each change of the schema has them asked for anew. */
const SEEN_MAX = 5_000
const NAMESAKES_MAX = 1_000
/** The most relations that one inherits from; of one with more, nothing is known. */
const PARENTS_MAX = 100

/** Relations that the transaction made or changed, and the temporary ones of the session, by their columns. */
const SEEN = `
select c.oid::pg_catalog.int8, n.nspname, c.relname, c.relkind,
       c.relpersistence operator(pg_catalog.=) 't', c.relhasrules,
       exists (select from pg_catalog.pg_rewrite r
                where r.ev_class operator(pg_catalog.=) c.oid and ${written('r')}),
       c.relhassubclass,
       case pg_catalog.row_number() over (partition by c.oid) when 1 then
         (select pg_catalog.string_agg(p.oid, ' ')
            from (select i.inhparent::pg_catalog.int8::pg_catalog.text as oid from pg_catalog.pg_inherits i
                   where i.inhrelid operator(pg_catalog.=) c.oid order by i.inhseqno limit ${PARENTS_MAX + 1}) p) end,
       a.attnum, a.attname, a.atttypid::pg_catalog.int8,
       (select l.label from pg_catalog.pg_seclabel l
         where l.classoid operator(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
           and l.objoid operator(pg_catalog.=) c.oid and l.objsubid operator(pg_catalog.=) a.attnum
           and l.provider operator(pg_catalog.=) 'anon'),
       a.attgenerated operator(pg_catalog.<>) ''
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
  left join pg_catalog.pg_attribute a
    on a.attrelid operator(pg_catalog.=) c.oid and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped
 where c.relkind operator(pg_catalog.=) any ('{r,p,v,m,f,S}'::pg_catalog."char"[])
   and (c.relnamespace operator(pg_catalog.=) pg_catalog.pg_my_temp_schema()
     or (n.nspname operator(pg_catalog.!~) '^pg_' and n.nspname operator(pg_catalog.<>) 'information_schema'
       and (${written('c')}
         or c.oid operator(pg_catalog.=) any (array(select w.attrelid from pg_catalog.pg_attribute w
              where w.attnum operator(pg_catalog.>) 0 and ${written('w')}))
         or c.oid operator(pg_catalog.=) any (array(select w.ev_class from pg_catalog.pg_rewrite w where ${written('w')}))
         or c.oid operator(pg_catalog.=) any (array(select w.inhrelid from pg_catalog.pg_inherits w where ${written('w')})))))
 limit ${SEEN_MAX + 1}`

const existing = (oids: readonly number[]): string =>
  `select c.oid::pg_catalog.int8 from pg_catalog.pg_class c
    where c.oid operator(pg_catalog.=) any ('{${oids.join(',')}}'::pg_catalog.oid[])`

/** Tags of commands that change tables, their indexes, sequences and views, or no meaning of any name. */
const COMMANDS =
  /^(?:(?:CREATE|ALTER|DROP) (?:TABLE|INDEX|SEQUENCE|VIEW)|CREATE TABLE AS|SELECT|INSERT|UPDATE|DELETE|MERGE|COPY|BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE|DEALLOCATE(?: ALL)?|GRANT|REVOKE|REINDEX|EXPLAIN|ANALYZE|SET|SET CONSTRAINTS|SHOW|RESET|LOCK TABLE|TRUNCATE TABLE|COMMENT|FETCH|MOVE|DECLARE CURSOR|CLOSE CURSOR(?: ALL)?|LISTEN|UNLISTEN|NOTIFY|DISCARD .*)(?: [0-9 ]+)?$/
