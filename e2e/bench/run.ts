/** `npm run bench`: the same pgbench against the target and through Countersign, in turn, in one run. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { ensureSystemParts, ROOT, startSystem, type System } from '@countersign/local'
import { agentEnvironment } from '../support/agent.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false, short: 'h' },
  },
})
if (values.help) {
  console.log(
    'npm run bench [-- --quick] [-- --json]\n\nOne covered SELECT, direct and through Countersign, in turn; medians and ratios.\nWrites e2e/bench/results/latest.json. Compare ratios, not times.',
  )
  process.exit(0)
}

type Measured = {
  path: string
  mode: string
  clients: number
  latencyMs: number
  perSecond: number
}

const execute = promisify(execFile)
const rounds = values.quick ? 1 : 3
const seconds = values.quick ? 3 : 8

await ensureSystemParts()
const system = await startSystem({ name: 'bench', quiet: values.json })
try {
  await applyCatalog(system)
  // The log of the target costs both paths the same, but it costs.
  await askTarget(system, "alter system set log_statement = 'none'")
  await askTarget(system, 'select pg_reload_conf()')
  const measured = await measure(system)
  const file = join(ROOT, 'e2e/bench/results/latest.json')
  await mkdir(join(ROOT, 'e2e/bench/results'), { recursive: true })
  await writeFile(file, `${JSON.stringify({ at: new Date().toISOString(), measured }, null, 2)}\n`)
  console.log(values.json ? JSON.stringify(measured) : table(measured))
} finally {
  await system.stop()
}

async function measure(bench: System): Promise<Measured[]> {
  const script = join(bench.instance.dir, 'select.sql')
  await writeFile(
    script,
    '\\set id random(1, 5)\nselect id, name from shop.products where id = :id;\n',
  )
  const through = await agentEnvironment(bench, { profile: 'shop-dev' })
  const admin = new URL(bench.postgres.adminUrl)
  const direct = {
    ...through,
    PGPORT: admin.port,
    PGUSER: admin.username,
    PGPASSWORD: decodeURIComponent(admin.password),
    PGDATABASE: 'shop_dev',
  }
  const paths = { direct, countersign: through }
  const found: Measured[] = []
  for (const mode of ['simple', 'prepared']) {
    for (const clients of [1, 8, 32]) {
      const runs: Measured[] = []
      for (let round = 0; round < rounds; round++) {
        for (const [path, env] of Object.entries(paths)) {
          const args = [
            '-n',
            '-T',
            `${seconds}`,
            '-c',
            `${clients}`,
            '-j',
            '1',
            '-M',
            mode,
            '-f',
            script,
          ]
          const { stdout } = await execute('pgbench', args, { env })
          const latencyMs = Number(/latency average = ([\d.]+)/.exec(stdout)?.[1])
          runs.push({
            path,
            mode,
            clients,
            latencyMs,
            perSecond: Number(/tps = ([\d.]+)/.exec(stdout)?.[1]),
          })
        }
      }
      for (const path of Object.keys(paths))
        found.push(median(runs.filter((run) => run.path === path)))
    }
  }
  return found
}

function median(runs: readonly Measured[]): Measured {
  const sorted = runs.toSorted((a, b) => a.perSecond - b.perSecond)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error('nothing was measured')
  return middle
}

function table(all: readonly Measured[]): string {
  const rows = all
    .filter(({ path }) => path === 'countersign')
    .map((ours) => {
      const direct = all.find(
        (one) => one.path === 'direct' && one.mode === ours.mode && one.clients === ours.clients,
      )
      const ratio = direct === undefined ? '' : (ours.perSecond / direct.perSecond).toFixed(3)
      return `| ${ours.mode} | ${ours.clients} | ${direct?.latencyMs} | ${ours.latencyMs} | ${direct?.perSecond} | ${ours.perSecond} | ${ratio} |`
    })
  return [
    '| mode | c | direct ms | countersign ms | direct tps | countersign tps | ratio |',
    '|---|--:|--:|--:|--:|--:|--:|',
    ...rows,
  ].join('\n')
}
