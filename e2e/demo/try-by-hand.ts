import type { System } from '@countersign/local'
import type { Narrator } from './narrator.ts'

/** What a visitor can try while everything is up. */
export function tryByHand(system: System, narrator: Narrator): void {
  const instance = system.instance.name === 'demo' ? '' : ` --instance ${system.instance.name}`
  const psql = `PGPASSWORD=$(npx countersign token --as ci-deploy${instance}) psql "host=127.0.0.1 port=${system.instance.ports.proxyPostgres} dbname=shop-prod user=ci-deploy sslmode=verify-full sslrootcert=${system.caFile}"`
  narrator.chapter('Now you: it stays up until Ctrl-C')
  narrator.say('   be the agent (another terminal, in this folder):')
  narrator.say(`     ${psql}`)
  narrator.say('   be the reviewer:')
  narrator.say(`     npx countersign requests --as ana${instance}`)
  narrator.say(
    `     npx countersign approve <request> --as ana${instance}      (or deny <request> --words "why not")`,
  )
  narrator.say('   see what happened:')
  narrator.say(`     npx countersign sessions --as ana${instance}`)
  narrator.say(`     npx countersign replay <session> --as ana${instance}`)
  narrator.say(
    `   people: ana, bo, maria (production), kim (staging), dev; agents: ci-deploy (for maria), nightly-report\n`,
  )
}
