import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { engineAt, socketOf } from './engine.ts'

test('the socket is that of DOCKER_HOST, or the usual one; what is no socket is not asked', () => {
  assert.equal(socketOf({}), '/var/run/docker.sock')
  assert.equal(socketOf({ DOCKER_HOST: '' }), '/var/run/docker.sock')
  assert.equal(socketOf({ DOCKER_HOST: 'unix:///run/mine.sock' }), '/run/mine.sock')
  for (const host of ['tcp://10.0.0.1:2375', 'ssh://someone@elsewhere', 'none'])
    assert.equal(socketOf({ DOCKER_HOST: host }), null)
})

test('an engine that answers the ping is there', async () => {
  const asked: unknown[] = []
  await using socket = await served(({ method, url }, answer) => {
    asked.push([method, url])
    answer.end('OK')
  })
  assert.equal((await engineAt(socket.path)).answers, true)
  assert.deepEqual(asked, [['GET', '/_ping']])
})

test('an engine that fails, or takes the connection and says nothing, is not there', async () => {
  await using failing = await served((_, answer) => void answer.writeHead(500).end())
  assert.equal((await engineAt(failing.path)).answers, false)
  await using silent = await served(() => undefined)
  assert.equal((await engineAt(silent.path)).answers, false)
})

test('no socket, a file that is none, and no path at all mean that no engine is there', async () => {
  await using folder = await temporary()
  const file = join(folder.path, 'file')
  await writeFile(file, '')
  for (const path of [join(folder.path, 'missing'), file, null])
    assert.equal((await engineAt(path)).answers, false)
})

async function served(listener: RequestListener): Promise<AsyncDisposable & { path: string }> {
  const folder = await temporary()
  const path = join(folder.path, 'docker.sock')
  const server = createServer(listener)
  await new Promise<void>((resolve) => void server.listen(path, resolve))
  return {
    path,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'countersign-engine-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
