import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { System } from '@countersign/local'
import { askTarget } from '../support/target.ts'
import { median, rounded, timed } from './figures.ts'
import { byPath, type PathName, type Paths, PATHS } from './paths.ts'
import { residentKibibytes } from './sessions.ts'

export type StreamingFigures = {
  readonly rows: number
  /** The time in which psql reads the whole result and throws it away. */
  readonly seconds: Readonly<Record<PathName, number>>
  /** The largest resident memory of the proxy while it streamed, in MiB, and before. */
  readonly proxyMebibytes: { readonly before: number; readonly peak: number }
}

/** Measures a large result; Countersign records all of it and its detectors search every text. */
export async function measureStreaming(
  system: System,
  paths: Paths,
  options: { rows: number; rounds: number },
): Promise<StreamingFigures> {
  const { rows, rounds } = options
  await askTarget(
    system,
    `create table shop.readings as
       select g as id, 'sensor ' || g % 1000 as name, g * 7 % 10007 as value, now() as at
       from generate_series(1, ${rows}) g`,
    'shop_dev',
  )
  await askTarget(system, 'grant select on shop.readings to shop_dev_reader', 'shop_dev')
  const pid = system.service('proxy').pid()
  const before = await residentKibibytes(pid)
  let peak = before
  const watch = setInterval(() => {
    void residentKibibytes(pid).then((now) => (peak = Math.max(peak, now)))
  }, 100)
  const times = byPath((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (const path of PATHS) times[path].push(await timed(() => readAll(paths[path])))
  clearInterval(watch)
  return {
    rows,
    seconds: byPath((path) => rounded(median(times[path]) / 1000, 2)),
    proxyMebibytes: { before: rounded(before / 1024, 0), peak: rounded(peak / 1024, 0) },
  }
}

/** Reads all rows as one result. With FETCH_COUNT psql would use a cursor, which is not measured here. */
const readAll = (env: Readonly<Record<string, string>>): Promise<unknown> =>
  promisify(execFile)(
    'psql',
    ['-X', '-A', '-t', '-o', '/dev/null', '-c', 'select id, name, value, at from shop.readings'],
    { env },
  )
