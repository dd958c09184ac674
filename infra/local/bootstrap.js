// Runs on whatever Node the machine has (18 or newer) and has no dependencies: it installs what the
// lockfile names, then runs the command on the Node 24 that came with it.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMMANDS, understood } from './commands.js'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const MODULES = join(ROOT, 'node_modules')
const STAMP = join(MODULES, '.countersign-stamp')
/** As in `paths.ts`, which needs a Node that runs TypeScript. */
const COMPILED = join(ROOT, '.countersign', 'cache', 'compiled')

const [command = 'setup', ...rest] = process.argv.slice(2)
if (!Object.hasOwn(COMMANDS, command)) {
  fail(`there is no command ${command}; there are: ${Object.keys(COMMANDS).join(', ')}`, 2)
}
// Help and mistyped options come before anything is installed or started.
const read = understood(command, rest)
if (!('values' in read)) {
  const stream = read.status === 0 ? process.stdout : process.stderr
  stream.write(read.text)
  process.exit(read.status)
}
installed()
linked()
run(node24(), [join(ROOT, COMMANDS[command].main), ...rest])

/** Installs the dependencies, unless those that are there were installed from this very lockfile. */
function installed() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8').trim() === wanted) return
  const since = Date.now()
  process.stderr.write('· installing the dependencies (npm ci), once for each lockfile\n')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const done = spawnSync(npm, ['ci', '--loglevel=error'], { cwd: ROOT, stdio: ['ignore', 2, 2] })
  if (done.error !== undefined)
    fail(`npm could not be started: ${done.error.message}. Install npm, then try again.`)
  if (done.status !== 0)
    fail('npm ci failed, see above. Check the network and the registry, then try again.')
  writeFileSync(STAMP, `${wanted}\n`)
  process.stderr.write(`  installed in ${((Date.now() - since) / 1000).toFixed(1)} s\n`)
}

/** The program of `npx countersign`. As `bin` of this package it would make npx read all of node_modules each time (1 s). */
function linked() {
  const link = join(MODULES, '.bin', 'countersign')
  if (existsSync(link)) return
  try {
    rmSync(link, { force: true })
    symlinkSync(join('..', '..', 'bin', 'countersign'), link)
  } catch {
    // Without it there is still bin/countersign.
  }
}

/** A Node that runs TypeScript: the one that npm installed, or else this one. */
function node24() {
  const packaged = join(MODULES, `node-linux-${process.arch}`, 'bin', 'node')
  if (process.platform === 'linux' && existsSync(packaged)) return packaged
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  return fail(
    `Node 24 is needed and this is ${process.version}. Install Node 24 from nodejs.org, then try again.`,
  )
}

/** Runs to the end with our streams, hands signals on, and ends as it ended. */
function run(file, args) {
  const path = [join(MODULES, '.bin'), process.env.PATH ?? ''].join(delimiter)
  const child = spawn(file, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: COMPILED, ...process.env, PATH: path },
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // The terminal sends Ctrl-C to both of us; from elsewhere it has to be handed on.
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT')
  })
  child.on('error', (error) => fail(`${file} could not be started: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)))
}

/** @returns {never} */
function fail(message, status = 1) {
  process.stderr.write(`countersign: ${message}\n`)
  process.exit(status)
}
