import type { EntityJson, EntityUid } from '@cedar-policy/cedar-wasm/nodejs'
import type { Identity, Profile } from '@countersign/contracts'
import type { Instant } from '@countersign/kernel'

/** Asks whether an agent may do an action to a table or target. There is one question for each effect and table. */
export type Question = {
  readonly identity: Pick<Identity, 'agent' | 'behalfOf' | 'groups'>
  readonly profile: Pick<Profile, 'name' | 'environment'>
  readonly action: string
  /** Null asks about the target as a whole. */
  readonly table: {
    readonly schema: string
    readonly name: string
    readonly tags: readonly string[]
  } | null
  readonly time: Time
  /** Null for `connect`, which has no statement. */
  readonly statement: StatementFacts | null
  /** The roles that an approval lent to the session and that it still has. */
  readonly raisedRoles: readonly string[]
}

/** The hour and the weekday in UTC; the weekday counts from 1 for Monday to 7 for Sunday. */
export type Time = { readonly hour: number; readonly weekday: number }

/** The facts that follow from the text alone, as policies see them. */
export type StatementFacts = {
  readonly count: number
  readonly movesData: boolean
  readonly touchesTagged: boolean
  readonly changesState: boolean
  readonly createsCode: boolean
  readonly unbounded: boolean
  /** The settings that it sets, in small letters; `*` for all settings, and for one whose name is not known. */
  readonly settings: readonly string[]
}

/** The hour and weekday of an instant. */
export function timeOf(instant: Instant): Time {
  const date = new Date(instant / 1000)
  return { hour: date.getUTCHours(), weekday: date.getUTCDay() === 0 ? 7 : date.getUTCDay() }
}

/** The question as a request to Cedar. */
export function cedarRequest(question: Question) {
  const { identity, profile, action, table, time, statement, raisedRoles } = question
  const session = { raised: raisedRoles.length > 0, raisedRoles: [...raisedRoles] }
  const principal = uid('Agent', identity.agent)
  const target = uid('Target', profile.name)
  const resource =
    table === null ? target : uid('Table', tableId(profile.name, table.schema, table.name))
  return {
    principal,
    action: uid('Action', action),
    resource,
    context:
      statement === null
        ? { time }
        : { time, statement: { ...statement, settings: [...statement.settings] }, session },
    entities: [
      ...entitiesOf(identity, principal),
      entity(target, {}, [uid('Environment', profile.environment)]),
      entity(uid('Environment', profile.environment), {}, []),
      ...(table === null
        ? []
        : [
            entity(resource, { schema: table.schema, name: table.name, tags: [...table.tags] }, [
              target,
            ]),
          ]),
    ],
  }
}

function entitiesOf(identity: Question['identity'], principal: EntityUid): EntityJson[] {
  const groups = identity.groups.map((group) => uid('Group', group))
  const person = identity.behalfOf === null ? null : uid('Person', identity.behalfOf)
  return [
    entity(principal, person === null ? {} : { behalfOf: { __entity: person } }, groups),
    ...(person === null ? [] : [entity(person, {}, [])]),
    ...groups.map((group) => entity(group, {}, [])),
  ]
}

const entity = (id: EntityUid, attrs: EntityJson['attrs'], parents: EntityUid[]): EntityJson => ({
  uid: id,
  attrs,
  parents,
})
const uid = (type: string, id: string) => ({ type: `Countersign::${type}`, id })
/** JSON, because a name may hold any character. */
const tableId = (...parts: string[]): string => JSON.stringify(parts)
