#!/usr/bin/env node
// For where `bin/countersign` cannot run. Runs on whatever Node the machine has (18 or newer): hands over to the Node 24
// that npm installed, which runs the TypeScript of the command line as it is.
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

/** Help and the version need nothing installed. */
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

/** From the page that is made of what the command line says itself. */
function helpOf(command) {
  const page = readFileSync(join(ROOT, 'docs', 'cli.md'), 'utf8')
  const sections = [...page.matchAll(/^```help( \S+)?\n([\s\S]*?)^```$/gm)]
  const found = sections.find(([, name]) => (name ?? '').trim() === (command ?? ''))
  return (found ?? sections[0])?.[2] ?? ''
}

/** Runs to the end with our streams, hands signals on, and ends as it ended. */
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
