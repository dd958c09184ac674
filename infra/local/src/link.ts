import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { ROOT } from './paths.ts'

/** The file of the command `countersign`. */
export const LAUNCHER = join(ROOT, 'bin', 'countersign')

/**
 * Makes `countersign` a command: a link in a folder of the PATH that is meant for such links and that we may write.
 * Anything else with this name there stays. Says what was done, or null where nothing was.
 */
export function linkCommand(
  world: World = { path: process.env['PATH'] ?? '', home: homedir() },
): string | null {
  if (found(world.path) !== null) return null
  for (const folder of foldersOf(world)) {
    const link = join(folder, 'countersign')
    if (isTaken(link)) continue
    try {
      accessSync(folder, constants.W_OK)
      rmSync(link, { force: true })
      symlinkSync(LAUNCHER, link)
      return `the command countersign is ${link}, a link to this folder; "npm run setup -- --unlink" takes it away`
    } catch {
      continue // It may not be ours to write.
    }
  }
  return null
}

/** Removes the links that point here; gives their places. */
export function unlinkCommand(
  world: World = { path: process.env['PATH'] ?? '', home: homedir() },
): string[] {
  return foldersOf(world)
    .map((folder) => join(folder, 'countersign'))
    .filter((link) => isOurs(link))
    .map((link) => {
      rmSync(link)
      return link
    })
}

/** The command that a person types to run the command line of this folder. */
export const commandLine = (path: string = process.env['PATH'] ?? ''): string => {
  const command = found(path)
  return command !== null && isOurs(command) ? 'countersign' : relativeTo(LAUNCHER)
}

type World = { readonly path: string; readonly home: string }

/** Folders for a person's own programs, as far as the shell looks there. */
function foldersOf({ path, home }: World): string[] {
  const onPath = path.split(delimiter)
  return [join(home, '.local', 'bin'), join(home, 'bin'), '/usr/local/bin'].filter((folder) =>
    onPath.includes(folder),
  )
}

/** The command that a shell would find; what npm puts before the PATH of a script does not count. */
function found(path: string): string | null {
  const folders = path
    .split(delimiter)
    .filter((folder) => folder !== '' && !folder.endsWith(join('node_modules', '.bin')))
  const places = folders.map((folder) => join(folder, 'countersign'))
  return places.find((place) => existsSync(place)) ?? null
}

const isOurs = (link: string): boolean =>
  existsSync(link) && realpathSync(link) === realpathSync(LAUNCHER)

/** True if something has this name. Our link to a folder that is gone does not count. */
function isTaken(link: string): boolean {
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) return false
  return existsSync(link) || !isDangling(link)
}

function isDangling(link: string): boolean {
  try {
    return readlinkSync(link).endsWith(join('bin', 'countersign'))
  } catch {
    return false
  }
}

/** The path from here where the file is below this folder, else the whole path. */
function relativeTo(file: string): string {
  const near = relative(process.cwd(), file)
  return near.startsWith('..') ? file : `./${near}`
}
