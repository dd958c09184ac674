/** The Cedar schema: everything that policies can name (D12). Every policy of the catalog is validated against it. */
export const CEDAR_SCHEMA = `
namespace Countersign {
  /// When the question is asked, in UTC; the weekday counts from 1 for Monday.
  type Time = { hour: Long, weekday: Long };

  /// Facts that follow from the text of the statement alone, so that they hold for everything a decision covers.
  type Statement = {
    count: Long,
    movesData: Bool,
    touchesTagged: Bool,
    changesState: Bool,
    createsCode: Bool,
    unbounded: Bool,
    settings: Set<String>,
  };

  /// What an approval lent to the session, until its transaction ends.
  type Session = { raised: Bool, raisedRoles: Set<String> };

  entity Group;
  entity Person in [Group];
  entity Agent in [Group] = { behalfOf?: Person };
  entity Environment;
  entity Target in [Environment];
  entity Table in [Target] = { schema: String, name: String, tags: Set<String> };

  action connect appliesTo { principal: Agent, resource: Target, context: { time: Time } };

  action read, write, delete, "schema-change", "privilege-change", "session-change", notify, transaction,
         program, opaque, unknown
    appliesTo {
      principal: Agent,
      resource: [Target, Table],
      context: { time: Time, statement: Statement, session: Session },
    };
}
`

/** The annotations that a policy may have, on which effects and with which values; null stands for any text. */
export const ANNOTATIONS: ReadonlyMap<string, Annotation> = new Map([
  ['id', { on: ['permit', 'forbid'], values: null }],
  ['reason', { on: ['permit', 'forbid'], values: null }],
  ['review', { on: ['permit'], values: null }],
  ['record', { on: ['permit'], values: ['full', 'statements'] }],
  ['cover', { on: ['permit'], values: ['none', 'exact', 'shape'] }],
])

type Annotation = { on: readonly ('permit' | 'forbid')[]; values: readonly string[] | null }
