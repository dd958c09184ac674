import type { System } from '@countersign/local'
import { startPsql, psql, type Psql } from '../support/agent.ts'
import { catalogOffsetOf, everyoneHasRead } from '../support/catalog.ts'
import { type CliRun, countersignCli } from '../support/cli.ts'
import { eventually, timesRun } from '../support/ledger.ts'
import { sessionRolesIn } from '../support/target.ts'
import type { Narrator } from './narrator.ts'

/** Tells the story; resolves with the number of steps that did not do what they should. */
export async function tell(system: System, narrator: Narrator): Promise<number> {
  let failures = 0
  const check = (isAsExpected: boolean, text: string): void => {
    narrator.checked(isAsExpected, text)
    if (!isAsExpected) failures++
  }
  const cli = async (who: string, ...args: string[]) => {
    narrator.typed(who, `countersign ${args.map(quoted).join(' ')}`)
    const run = await countersignCli(system, ...args, '--as', who)
    narrator.printed(run.stdout + run.stderr)
    return run
  }

  narrator.chapter('olga puts the rules in force: profiles, chains, reviewers, policies, masking')
  const port = String(system.instance.ports.postgres)
  const appliedRun = await cli(
    'olga',
    'apply',
    '-f',
    system.catalogDir,
    '--set',
    `POSTGRES_PORT=${port}`,
  )
  check(appliedRun.status === 0, 'the catalog is applied')
  // The console answers when it has read the catalog that it wrote; the other services may be a moment behind.
  await everyoneHasRead(system, await catalogOffsetOf(system.service('console').healthPort))

  narrator.chapter('An agent reads production with its unchanged psql: what is sensitive is masked')
  const read = 'select id, name, email, card_number from shop.customers order by id limit 3'
  narrator.typed('ci-deploy', `psql "dbname=shop-prod user=ci-deploy …" -c "${read}"`)
  const selected = await psql(system, { profile: 'shop-prod', commands: [read] })
  narrator.printed(selected.stdout + selected.stderr)
  check(selected.status === 0 && /3 rows/.test(selected.stdout), 'the rows came')
  check(
    MASKED_ADDRESS.test(selected.stdout) && !SENSITIVE.test(selected.stdout),
    'addresses are masked, and no address and no card number is among them',
  )

  narrator.chapter('It wants to change the schema: the statement is held inside the open session')
  const alter = 'alter table shop.orders add column delivered_at timestamptz'
  const held = await opened(system, narrator, alter)
  const alterId = await requestIdOf(held)
  check((await timesRun(system, 'delivered_at')) === 0, "the target's own log has not seen it")

  narrator.chapter('The wrong people cannot countersign it')
  const kim = await cli('kim', 'approve', alterId, '--yes')
  check(
    kim.status !== 0 && kim.stderr.includes('CS_NOT_FOUND'),
    'kim reviews staging, not production: for her there is no such request',
  )
  const self = await cli('ci-deploy', 'approve', alterId, '--yes')
  check(isSelfApproval(self), 'the agent cannot countersign its own request: refused')
  const owner = await cli('maria', 'approve', alterId, '--yes')
  check(
    isSelfApproval(owner),
    'nor can maria, for whom the agent acts, although she reviews production: refused',
  )
  check((await timesRun(system, 'delivered_at')) === 0, 'still nothing reached the target')

  narrator.chapter('ana, who reviews production, countersigns exactly this statement')
  const ana = await cli('ana', 'approve', alterId, '--yes')
  check(ana.status === 0, 'granted')
  await held.says(/ALTER TABLE/)
  const altered = await held.finish()
  narrator.printed(altered.stdout)
  check(altered.status === 0 && (await timesRun(system, 'delivered_at')) === 1, 'it ran, once')
  await eventually(
    'the privilege is taken back',
    async () => (await sessionRolesIn(system, 'shop_prod_owner')).length === 0,
  )
  check(true, "and the role has lost the privilege again, as the target's own catalog says")

  narrator.chapter('bo denies a DROP TABLE, and his words reach the agent')
  const drop = await opened(system, narrator, 'drop table shop.orders')
  const dropId = await requestIdOf(drop)
  await cli('bo', 'deny', dropId, '--words', 'orders are kept for ten years; archive them instead')
  const dropped = await drop.finish()
  narrator.printed(
    dropped.stderr
      .split('\n')
      .filter((line) => !line.includes('NOTICE'))
      .slice(-4)
      .join('\n'),
  )
  check(
    dropped.status !== 0 && dropped.stderr.includes('archive them instead'),
    'psql shows the words of the reviewer',
  )
  check((await timesRun(system, 'drop table')) === 0, 'nothing was dropped')

  narrator.chapter('An agent that disconnects while held leaves nothing behind')
  const gone = await opened(system, narrator, 'delete from shop.orders where id = 7')
  const goneId = await requestIdOf(gone)
  gone.signal('SIGKILL')
  await gone.done
  const withdrawn = await eventually('the request is withdrawn', async () => {
    const run = await countersignCli(system, 'show', goneId, '--json', '--as', 'ana')
    return /withdrawn/.test(run.stdout) ? run : false
  })
  check(withdrawn.status === 0, 'the request is withdrawn')
  const late = await cli('ana', 'approve', goneId, '--yes')
  check(
    late.status !== 0 && (await timesRun(system, 'delete from shop.orders')) === 0,
    'a late vote is refused; nothing ran',
  )

  narrator.chapter('What happened stands in the log, and can be replayed')
  const sessions = await countersignCli(system, 'show', alterId, '--json', '--as', 'ana')
  const sessionId = /"sessionId":\s*"([0-9a-f-]{36})"/.exec(sessions.stdout)?.[1] ?? ''
  const replay = await cli('ana', 'replay', sessionId)
  check(
    replay.status === 0 && /delivered_at/.test(replay.stdout) && /ana/.test(replay.stdout),
    'the statement, who countersigned it, and its result',
  )
  const first = await cli('ana', 'replay', await firstSession(system))
  check(
    first.status === 0 && MASKED_ADDRESS.test(first.stdout) && !SENSITIVE.test(first.stdout),
    'what the first session read is recorded as the agent saw it: masked',
  )
  return failures
}

async function opened(system: System, narrator: Narrator, statement: string): Promise<Psql> {
  narrator.typed('ci-deploy', `psql "dbname=shop-prod user=ci-deploy …" -c "${statement}"`)
  const running = await startPsql(system, { profile: 'shop-prod', commands: [statement] })
  await running.says(/held for review[\s\S]*HINT.*\n/)
  narrator.printed(running.stderr())
  return running
}

async function requestIdOf(running: Psql): Promise<string> {
  const found = await running.says(/held for review \(request ([0-9a-f-]{36})\)/)
  return found[1] ?? ''
}

/** The session that opened first: the last of the list, which begins with the newest. */
async function firstSession(system: System): Promise<string> {
  const { stdout } = await countersignCli(system, 'sessions', '--json', '--as', 'ana')
  const all = [...stdout.matchAll(/"sessionId":\s*"([0-9a-f-]{36})"/g)]
  return all.at(-1)?.[1] ?? ''
}

const isSelfApproval = ({ status, stderr }: CliRun): boolean =>
  status !== 0 && /CS_REVIEW_REFUSED: .*of their own/.test(stderr)

/** A masked e-mail address: of its local part only the first letter is left. */
const MASKED_ADDRESS = /\w…@/
/** An e-mail address or a card number. */
const SENSITIVE = /[\w.]+@[\w.]+\.\w+|\d{13,}/
const quoted = (text: string): string => (/^[\w./:=@-]+$/.test(text) ? text : `"${text}"`)
