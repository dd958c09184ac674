// Seen to fail when an identifier counts as safe whatever it stands for.
import { test } from 'node:test'
import { RuleTester } from 'eslint'
import { guardedHandlers } from './guarded-handlers.js'

test('a handler without a net under it is found, in place and under a name', () => {
  new RuleTester().run('guarded-handlers', guardedHandlers, {
    valid: [
      "socket.on('error', () => undefined)",
      "socket.once('close', resolve)",
      "socket.on('close', () => closed.resolve())",
      "socket.on('error', (cause) => reject(new Error('x', { cause })))",
      "socket.on('close', () => limit[Symbol.dispose]())",
      "socket.on('data', net.guarded('bytes', read))",
      "const onData = net.guarded('bytes', read); socket.on('data', onData)",
      "const onData = net.guarded('bytes', read); function f() { socket.on('data', onData) }",
      "const ended = () => over.resolve(); socket.on('end', ended)",
      'createServer({ noDelay: true })',
      "createServer(answering('health', answer, logger))",
      'map.on(key, whatever)',
    ],
    invalid: [
      "socket.on('data', (chunk) => read(chunk))",
      "socket.on('data', function (chunk) { read(chunk) })",
      "socket.on('data', () => { closed.resolve(); more() })",
      "const onData = (chunk) => read(chunk); socket.on('data', onData)",
      "const onData = (chunk) => { read(chunk) }; socket.once('data', onData)",
      "function onData(chunk) { read(chunk) } socket.on('data', onData)",
      "function f(onData) { socket.on('data', onData) }",
      "socket.on('data', session.onData)",
      "import { onData } from './x.ts'; socket.addListener('data', onData)",
      "signal.addEventListener('abort', stop)",
      "socket.on('data', bound(read))",
      'createServer(answer)',
      'createServer({ noDelay: true }, (socket) => greet(socket))',
      'net.createServer(answer)',
    ].map((code) => ({ code, errors: [{ messageId: 'bare' }] })),
  })
})
