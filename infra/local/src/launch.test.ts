// Seen to fail when bin/countersign does not follow links.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { COMMANDS, understood } from '../commands.js'
import { LAUNCHER, linkCommand, unlinkCommand } from './link.ts'
import { ROOT } from './paths.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-launch-'))
  // A checkout in which nothing was installed.
  for (const file of ['infra/local/bootstrap.js', 'infra/local/commands.js', 'countersign.js'])
    cpSync(join(ROOT, file), join(folder, 'fresh', file))
  for (const file of ['package.json', 'docs/cli.md', 'bin/countersign'])
    cpSync(join(ROOT, file), join(folder, 'fresh', file))
})
after(() => rmSync(folder, { recursive: true }))

const ran = (
  file: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) => {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', ...options })
  return { status, stdout, stderr }
}

test('help and mistyped options of every command need nothing installed, and start nothing', () => {
  const bootstrap = join(folder, 'fresh', 'infra', 'local', 'bootstrap.js')
  for (const command of Object.keys(COMMANDS)) {
    const help = ran(process.execPath, [bootstrap, command, '--help'])
    assert.deepEqual([help.status, help.stderr], [0, ''], command)
    assert.match(help.stdout, /^npm (run )?\S+/)
    for (const wrong of [['--nonsense']]) {
      const refused = ran(process.execPath, [bootstrap, command, ...wrong])
      assert.deepEqual([refused.status, refused.stdout], [2, ''], `${command} ${wrong.join(' ')}`)
      assert.doesNotMatch(refused.stderr, /^\s+at /m, 'a stack helps nobody here')
    }
  }
  assert.equal(ran(process.execPath, [bootstrap, 'nonsense']).status, 2)
  for (const wrong of [['nonsense'], ['-x'], ['--instance'], ['--exit=1']])
    assert.partialDeepStrictEqual(understood('demo', wrong), { status: 2 }, wrong.join(' '))
})

test('the command line says its help and version where nothing is installed, and else what to do', () => {
  for (const file of ['countersign.js', 'bin/countersign']) {
    const path = join(folder, 'fresh', file)
    const [program, ...before] = file.endsWith('.js') ? [process.execPath, path] : [path]
    const env = { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` }
    const cli = (...args: string[]) => ran(program, [...before, ...args], { env })
    assert.match(cli('--help').stdout, /^Usage: countersign /)
    assert.match(cli('approve', '--help').stdout, /^Usage: countersign approve /)
    assert.match(cli('--version').stdout, /^\d+\.\d+\.\d+\n$/)
    const refused = cli('requests')
    assert.deepEqual([refused.status, refused.stdout], [1, ''])
    assert.match(refused.stderr, /npm run setup/)
  }
})

test('countersign works through a link and from every folder, and says the line that works', () => {
  const link = join(folder, 'bin', 'countersign')
  mkdirSync(join(folder, 'bin'))
  symlinkSync(LAUNCHER, link)
  const options = {
    cwd: tmpdir(),
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      CS_CONSOLE_URL: 'http://127.0.0.1:1',
      CS_TOKEN: 't',
    },
  }
  assert.match(ran('countersign', ['--version'], options).stdout, /^\d+\.\d+\.\d+\n$/)
  assert.match(ran('countersign', ['requests'], options).stderr, /next: .*`countersign doctor`/)
  const hidden = { ...options, env: { ...options.env, PATH: process.env['PATH'] ?? '' } }
  const { stderr } = ran(link, ['requests'], hidden)
  assert.ok(
    /`(\S+) doctor`/.exec(stderr)?.[1] === link || / `countersign doctor`/.test(stderr),
    stderr,
  )
})

test('a link is made where a person keeps their commands, and only where nobody has the name', () => {
  const home = join(folder, 'home')
  const local = join(home, '.local', 'bin')
  const bin = join(home, 'bin')
  for (const each of [local, bin]) mkdirSync(each, { recursive: true })
  assert.equal(linkCommand({ path: '/nowhere', home }), null, 'no such folder is on the path')
  const path = `${local}:${bin}`
  assert.match(linkCommand({ path, home }) ?? '', /\.local\/bin\/countersign/)
  assert.equal(linkCommand({ path, home }), null, 'it is there already')
  assert.deepEqual(unlinkCommand({ path, home }), [join(local, 'countersign')])
  symlinkSync('/bin/true', join(local, 'countersign'))
  assert.equal(linkCommand({ path, home }), null, 'somebody else has the name')
  assert.deepEqual(unlinkCommand({ path, home }), [])
})
