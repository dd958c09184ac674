import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Problem } from '@countersign/kernel'
import { json } from './json.ts'
import { oneLine } from './printable.ts'

/** A new folder beside a place, on the same disk, that nothing else has. */
export async function folderBeside(place: string): Promise<string> {
  await mkdir(dirname(place), { recursive: true })
  return mkdtemp(`${place}.partial-`)
}

/** Moves a folder to its place. The folder that was there is deleted then, or put back where the move fails. */
export async function putInPlace(folder: string, place: string): Promise<void> {
  if (!existsSync(place)) return rename(folder, place)
  const aside = `${folder}.replaced`
  await rename(place, aside)
  try {
    await rename(folder, place)
  } catch (thrown) {
    await rename(aside, place)
    throw thrown
  }
  await rm(aside, { recursive: true, force: true })
}

/** Only an extract is replaced, and only where that is wanted: never something else that happens to have the name. */
export function refuseToOverwrite(place: string, isForced: boolean): void {
  if (!existsSync(place)) return
  const isFolder = statSync(place).isDirectory()
  if (isFolder && readdirSync(place).length === 0) return
  if (!isFolder || !isExtract(place))
    throw new Problem('CS_BAD_REQUEST', `${oneLine(place)} is there, and is no extract`, {
      hint: 'Name another folder with --out.',
    })
  if (!isForced)
    throw new Problem('CS_BAD_REQUEST', `${oneLine(place)} is there`, {
      hint: 'Replace it with --force, or name another folder with --out.',
    })
}

/** True if a folder holds an extract, and nothing else. */
function isExtract(folder: string): boolean {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
    const files = json.list(manifest, 'files').map((file) => json.text(file, 'file'))
    const own = new Set(['manifest.json', ...files])
    return (
      json.text(manifest, 'format').startsWith('countersign-extract/') &&
      readdirSync(folder).every((name) => own.has(name))
    )
  } catch {
    return false
  }
}
