import { readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Problem, sha256 } from '@countersign/kernel'
import { auditLog } from '../audit-log.ts'
import type { Context } from '../context.ts'
import { folderBeside, putInPlace, refuseToOverwrite } from '../extract-place.ts'
import { extract, type Manifest, SCHEMAS_TOPIC } from '../extract.ts'
import { oneLine } from '../printable.ts'
import { table } from '../table.ts'

export type ExportOptions = {
  readonly from: string
  readonly to: string
  readonly out?: string
  readonly force?: boolean
}

/**
 * Writes all records of the log of a span of time as files. The folder gets its name when everything in it is on the
 * disk; until then it is called `….partial-` and six letters. The status is 0 only where nothing is missing.
 */
export async function exported(
  context: Context,
  options: ExportOptions,
  open: typeof auditLog = auditLog,
): Promise<number> {
  const [fromMs, toMs] = [Date.parse(options.from), Date.parse(options.to)]
  if (fromMs >= toMs)
    throw new Problem('CS_BAD_REQUEST', '--from must be before --to', {
      hint: 'See `countersign export --help`.',
    })
  if (toMs > context.io.nowMs())
    throw new Problem('CS_BAD_REQUEST', 'what is yet to come cannot be exported: see --to', {
      hint: `Give a --to that has passed, such as ${new Date(context.io.nowMs()).toISOString()}.`,
    })
  if (toMs > context.io.nowMs() - SETTLED_MS)
    context.io.err('Events of the last minute may still arrive; an earlier --to is final.\n')
  const { out = `countersign-${nameOf(options.from)}-${nameOf(options.to)}`, force = false } =
    options
  const place = resolve(context.io.workingDirectory, out)
  refuseToOverwrite(place, force)
  const partial = await folderBeside(place)
  try {
    await using log = await open(context)
    const topics = (await log.topics()).filter((topic) => topic !== SCHEMAS_TOPIC)
    const manifest = await extract(log, {
      ...{ dir: partial, topics, fromMs, toMs },
      progress: progressTo(context),
    })
    const digest = sha256(await readFile(join(partial, 'manifest.json')))
    // Something else may have got the name meanwhile.
    refuseToOverwrite(place, force)
    await putInPlace(partial, place)
    context.print({ out: place, manifestSha256: digest, ...manifest }, () =>
      extractText(place, digest, manifest, context),
    )
    return manifest.complete ? 0 : 1
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

function extractText(
  place: string,
  digest: string,
  manifest: Manifest,
  { paint }: Context,
): string {
  const { files, missing } = manifest
  const rows = files.map(({ file, records, bytes, sha256: hash }) => [
    ...[oneLine(file), String(records), String(bytes), hash],
  ])
  return [
    `${oneLine(place)}\n`,
    table(['FILE', 'RECORDS', 'BYTES', 'SHA-256'], [...rows, ['manifest.json', '', '', digest]]),
    ...missing.map((one) => `${paint('red', 'missing')}: ${oneLine(one)}\n`),
    missing.length === 0 ? 'It is complete.\n' : `${paint('red', 'It is not complete.')}\n`,
  ].join('')
}

/** Prints a line whenever another tenth is done. */
function progressTo({ io }: Context): (done: number, all: number) => void {
  let told = 0
  return (done, all) => {
    const tenths = all === 0 ? 0 : Math.min(10, Math.floor((done / all) * 10))
    if (tenths <= told) return
    told = tenths
    io.err(`${done} of ${all} records read\n`)
  }
}

/** A moment as a part of the name of a file on every system. */
const nameOf = (iso: string): string => iso.replace(/[-:]|\.000/g, '')

/** Records may still come this long after their time: an append may be under way, and clocks differ. */
const SETTLED_MS = 60_000
