import { commandLine } from './link.ts'
import { AGENTS, PEOPLE } from './people.ts'
import type { System } from './system.ts'

/** The commands of an agent, a reviewer and a reader of this instance, and the names of its people and agents. */
export function waysIn({
  instance,
  caFile,
}: Pick<System, 'instance' | 'caFile'>): readonly string[] {
  const command = commandLine()
  const at = instance.name === 'demo' ? '' : ` --instance ${instance.name}`
  const target = `host=127.0.0.1 port=${instance.ports.proxyPostgres} dbname=shop-prod user=ci-deploy sslmode=verify-full sslrootcert=${caFile}`
  const people = Object.entries(PEOPLE).map(
    ([name, { groups }]) => `${name} (${groups.join(', ')})`,
  )
  const agents = Object.entries(AGENTS).map(([name, { behalfOf }]) =>
    behalfOf === null ? name : `${name} (for ${behalfOf})`,
  )
  return [
    'be the agent (another terminal):',
    `  PGPASSWORD=$(${command} token --as ci-deploy${at}) psql "${target}"`,
    'be the reviewer:',
    `  ${command} requests --as ana${at}`,
    `  ${command} approve <request> --as ana${at}      (or deny <request> --words "why not")`,
    'see what happened:',
    `  ${command} sessions --as ana${at}`,
    `  ${command} replay <session> --as ana${at}`,
    `people: ${people.join(', ')}`,
    `agents: ${agents.join(', ')}`,
  ]
}
