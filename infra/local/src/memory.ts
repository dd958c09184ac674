import { readdirSync, readFileSync } from 'node:fs'

/** The memory of these processes and of all that they started, shared pages counted once (PSS). */
export function memoryOf(pids: readonly number[]): { bytes: number; processes: number } {
  const parents = parentsOf()
  const family = [...parents.keys()].filter((pid) => belongs(pid, new Set(pids), parents))
  const sizes = family.map(pssOf).filter((size) => size > 0)
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), processes: sizes.length }
}

function belongs(
  pid: number,
  roots: ReadonlySet<number>,
  parents: ReadonlyMap<number, number>,
): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
    if (roots.has(at)) return true
  return false
}

function parentsOf(): Map<number, number> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return new Map(
    pids.map((pid) => [
      Number(pid),
      Number(after(readOr(`/proc/${pid}/stat`, ''), ')').split(' ')[2]),
    ]),
  )
}

function pssOf(pid: number): number {
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(readOr(`/proc/${pid}/smaps_rollup`, ''))?.[1]
  return Number(kibibytes ?? 0) * 1024
}

const after = (text: string, mark: string): string => text.slice(text.lastIndexOf(mark) + 1)

/** A process may end while we look at it. */
function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return otherwise
  }
}
