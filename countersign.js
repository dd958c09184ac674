#!/usr/bin/env node
// Runs the command line where `bin/countersign` cannot run. It starts on any Node from 18 on; one older than 24 hands over
// to the Node 24 that npm installed. Node 24 runs the TypeScript of the command line as it is.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(fileURLToPath(import.meta.url))
const MODULES = join(ROOT, 'node_modules')
const packaged = join(MODULES, `node-linux-${process.arch}`, 'bin', 'node')
const isNew = Number(process.versions.node.split('.')[0]) >= 24
const words = process.argv.slice(2)

if (!existsSync(join(MODULES, 'commander'))) {
  withoutDependencies()
} else if (isNew) {
  await import('./libs/cli/src/main.ts')
} else if (process.platform === 'linux' && existsSync(packaged)) {
  run(packaged, [join(ROOT, 'libs', 'cli', 'src', 'main.ts'), ...words])
} else {
  fail(
    `Node 24 is needed and this is ${process.version}. Install Node 24 from nodejs.org, then try again.`,
  )
}

/** Prints help or the version, which need no dependencies; all other commands fail. */
function withoutDependencies() {
  if (words.includes('--version') || words.includes('-V')) {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    process.stdout.write(`${version}\n`)
  } else if (words.length === 0 || words.includes('--help') || words.includes('-h')) {
    process.stdout.write(helpOf(words.find((word) => !word.startsWith('-'))))
  } else {
    fail(`the dependencies are not installed. Run \`npm run setup\` in ${ROOT} first.`)
  }
}

/** The help of a command, or of all, from docs/cli.md, which is generated from the command line itself. */
function helpOf(command) {
  const page = readFileSync(join(ROOT, 'docs', 'cli.md'), 'utf8')
  const sections = [...page.matchAll(/^```help( \S+)?\n([\s\S]*?)^```$/gm)]
  const found = sections.find(([, name]) => (name ?? '').trim() === (command ?? ''))
  return (found ?? sections[0])?.[2] ?? ''
}

/** Runs a program with our streams, passes signals on to it, and exits with its status, or 128 + the number of its signal. */
function run(file, args) {
  const child = spawn(file, args, { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail(`${file} could not be started: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)))
}

function fail(message) {
  process.stderr.write(`countersign: ${message}\n`)
  process.exitCode = 1
}
