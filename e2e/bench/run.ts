/** `npm run bench`: the same work at the target, through PgBouncer and through Countersign, in turn, in one run. */
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import {
  ensureSystemParts,
  reported,
  ROOT,
  say,
  startSystem,
  type System,
  typed,
} from '@countersign/local'
import { applyCatalog } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { type Figures, report } from './report.ts'
import { detectorReport, measureDetectors } from './detectors.ts'
import { openPaths } from './paths.ts'
import { measureRequests } from './requests.ts'
import { measureSessions } from './sessions.ts'
import { measureStatements } from './statements.ts'
import { measureStreaming } from './streaming.ts'

const options = typed('bench')

await reported(async () => {
  if (options.flag('detectors')) return console.log(detectorReport(measureDetectors()))
  await ensureSystemParts('clients')
  const system = await startSystem({
    name: 'bench',
    quiet: options.flag('json'),
    isMeasured: true,
  })
  try {
    const figures = await measured(system)
    await mkdir(join(ROOT, 'e2e/bench/results'), { recursive: true })
    const file = join(ROOT, 'e2e/bench/results/latest.json')
    await writeFile(file, `${JSON.stringify(figures, null, 2)}\n`)
    console.log(options.flag('json') ? JSON.stringify(figures) : report(figures))
  } finally {
    await system.stop()
  }
})

async function measured(bench: System): Promise<Figures> {
  const quick = options.flag('quick')
  await applyCatalog(bench)
  // Logging at the target slows all paths alike, so it is off here. (Production keeps it: it is a security measure.)
  await askTarget(bench, "alter database shop_dev set log_statement = 'none'")
  await using paths = await openPaths(bench)
  const statements = await measureStatements(bench, paths, {
    rounds: quick ? 1 : 3,
    seconds: quick ? 4 : 8,
    warmUpSeconds: quick ? 10 : 45,
  })
  say('single requests: append, first sight, approval')
  const requests = await measureRequests(bench, {
    statements: quick ? 100 : 300,
    approvals: quick ? 3 : 9,
  })
  say('sessions')
  const sessions = await measureSessions(bench, paths, {
    seconds: quick ? 4 : 8,
    idleSessions: quick ? 100 : 500,
  })
  say('a large result')
  const streaming = await measureStreaming(bench, paths, {
    rows: quick ? 200_000 : 1_000_000,
    rounds: quick ? 1 : 3,
  })
  say('detectors')
  const detectors = measureDetectors()
  const [cpu] = cpus()
  return {
    at: new Date().toISOString(),
    quick,
    machine: {
      cpu: cpu?.model ?? 'unknown',
      cores: cpus().length,
      memoryGibibytes: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
    statements,
    requests,
    sessions,
    streaming,
    detectors,
  }
}
