// Seen to fail when e2e/demo/run.ts, and e2e/bench/run.ts, run outside of `reported`.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '@countersign/local'
import { program } from '../support/driver.ts'

for (const [command, script] of [
  ['the demo', 'e2e/demo/run.ts'],
  ['the benchmark', 'e2e/bench/run.ts'],
] as const) {
  test(`${command} says in one line which programs are missing, and how to get them`, async () => {
    const empty = await mkdtemp(join(tmpdir(), 'countersign-no-programs-'))
    try {
      const env = { PATH: empty, NODE_OPTIONS: `--import=${NOBODY}` }
      const run = await program(process.execPath, [join(ROOT, script)], { env })
      assert.equal(run.ok, false)
      assert.equal(run.stdout, '')
      const [what, next] = run.stderr.split('\n')
      assert.match(what ?? '', /^countersign: CS_CONFIG_INVALID: missing on this machine: Java 17/)
      assert.match(next ?? '', /^ {2}next: Install it .*default-jre-headless/)
      assert.doesNotMatch(run.stderr, /^ +at /m, 'a stack helps nobody here')
    } finally {
      await rm(empty, { recursive: true })
    }
  })
}

/** Makes the process believe that it does not run as root: as root it would install the programs. */
const NOBODY = 'data:text/javascript,process.getuid=()=>65534'
