/** A person of the development identity provider. */
export type Person = { readonly groups: readonly string[] }
/** An agent, and the person it acts for, if any. */
export type AgentAccount = { readonly groups: readonly string[]; readonly behalfOf: string | null }

/** The people of a development machine. */
export const PEOPLE: Readonly<Record<string, Person>> = {
  ana: { groups: ['prod-reviewers'] },
  bo: { groups: ['prod-reviewers'] },
  kim: { groups: ['staging-reviewers'] },
  dev: { groups: ['dev-reviewers'] },
  // She owns ci-deploy and may review production: what her agent asks for, she must not countersign.
  maria: { groups: ['prod-reviewers'] },
  olga: { groups: ['countersign-admins'] },
}

export const AGENTS: Readonly<Record<string, AgentAccount>> = {
  'ci-deploy': { groups: ['agents'], behalfOf: 'maria' },
  'nightly-report': { groups: ['agents'], behalfOf: null },
  // Somebody put it in the groups of people: it is an agent all the same, since it got its token for itself.
  'review-bot': { groups: ['prod-reviewers', 'countersign-admins'], behalfOf: null },
}

/** The client that people log in with; development only. */
export const PERSON_CLIENT = 'countersign-development'
/** Development passwords follow from the name; the provider listens on loopback only. */
export const developmentSecretOf = (name: string): string => `${name}-development-secret`
