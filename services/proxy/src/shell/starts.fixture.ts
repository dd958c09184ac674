import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { Secret } from '@countersign/kernel'
import { toServer } from '@countersign/postgres-wire'

/** The start of a connection, as no client should begin one: the bytes, in which pieces, and where they are sent. */
export type Start = {
  /** In clear, after a question for TLS that was answered, or in TLS from the first byte. */
  readonly in: 'clear' | 'tls' | 'direct-tls'
  readonly pieces: readonly Buffer[]
  /** True if the client breaks the connection off at the end, without closing it. */
  readonly isReset: boolean
}

/** The starts that follow from a seed: parts of valid handshakes, mutated, joined and split anywhere; and random bytes. */
export async function* startsFrom(seed: number): AsyncGenerator<Start> {
  const { below, chance, bytes, one } = randomFrom(seed)
  const parts = await validParts()
  const cancelKey = (size: number): Buffer => bytes(size)

  function part(): Buffer {
    const valid = one(parts)
    if (chance(0.5)) return valid
    return mutated(valid)
  }

  function mutated(valid: Buffer): Buffer {
    const copy = Buffer.from(valid)
    switch (below(8)) {
      case 0:
        return copy.subarray(0, below(copy.length + 1))
      case 1:
        return Buffer.concat([copy, bytes(1 + below(9))])
      case 2:
        copy[below(copy.length)] = below(256)
        return copy
      case 3: // The length of a packet without a letter.
        copy.writeInt32BE(one(LENGTHS) ?? 0, 0)
        return copy
      case 4: // The length of a message with a letter.
        if (copy.length >= 5) copy.writeInt32BE(one(LENGTHS) ?? 0, 1)
        return copy
      case 5: // The code, or the version of the protocol.
        if (copy.length >= 8) copy.writeUInt32BE(one(CODES) ?? 0, 4)
        return copy
      case 6:
        return Buffer.concat([copy, copy])
      default:
        return toServer.cancelRequest({
          processId: below(2 ** 31),
          secretKey: cancelKey(below(300)),
        })
    }
  }

  function pieces(whole: Buffer): Buffer[] {
    const cuts = Array.from({ length: below(4) }, () => below(whole.length + 1)).sort(
      (a, b) => a - b,
    )
    return [0, ...cuts].map((from, index) => whole.subarray(from, cuts[index] ?? whole.length))
  }

  for (;;) {
    const count = 1 + below(4)
    const joined = Buffer.concat(Array.from({ length: count }, part))
    const whole = chance(0.1) ? bytes(below(400)) : joined
    const where = below(100)
    yield {
      in: where < 91 ? 'clear' : where < 97 ? 'tls' : 'direct-tls',
      // Each part in a packet of its own, or cut anywhere, or all at once.
      pieces: chance(0.3) ? [whole] : pieces(whole),
      isReset: chance(0.2),
    }
  }
}

/** Plays a start, and returns when the connection is over. */
export async function play(port: number, start: Start): Promise<void> {
  const tcp = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  tcp.on('error', () => undefined)
  const over = once(tcp, 'close').catch(() => undefined)
  try {
    const socket = await opened(tcp, start)
    socket.on('error', () => undefined)
    socket.resume()
    for (const piece of start.pieces) {
      if (tcp.destroyed) break
      socket.write(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // A reset below TLS would leave the handle of the socket open for ever (Node 24).
    if (!start.isReset) socket.end()
    else if (socket === tcp) tcp.resetAndDestroy()
    else socket.destroy()
  } catch {
    tcp.destroy()
  }
  await over
}

async function opened(tcp: Socket, start: Start): Promise<Socket> {
  await once(tcp, 'connect')
  if (start.in === 'clear') return tcp
  if (start.in === 'tls') {
    tcp.write(toServer.sslRequest())
    await once(tcp, 'data')
  }
  const tls = connectTls({ socket: tcp, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] })
  await once(tls, 'secureConnect')
  return tls
}

/** The parts of valid handshakes, a ClientHello of this Node among them. */
async function validParts(): Promise<readonly Buffer[]> {
  const database = ['database', 'shop-dev'] as const
  return [
    toServer.sslRequest(),
    GSS_ENC_REQUEST,
    toServer.startupMessage(new Map([['user', 'ci-deploy'], database])),
    toServer.startupMessage(new Map([['user', 'ci-deploy'], database, ['options', '-c jit=off']])),
    toServer.passwordMessage(new Secret('a.token.of-nobody')),
    toServer.cancelRequest({ processId: 1, secretKey: Buffer.alloc(4) }),
    toServer.query('select 1'),
    toServer.sync(),
    toServer.terminate(),
    await clientHello(),
  ]
}

async function clientHello(): Promise<Buffer> {
  const heard = Promise.withResolvers<Buffer>()
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      heard.resolve(chunk)
      done()
    },
  })
  const tls = connectTls({ socket: wire, ALPNProtocols: ['postgresql'] })
  tls.on('error', () => undefined)
  const hello = await heard.promise
  tls.destroy()
  wire.destroy()
  return hello
}

/** Numbers that follow from a seed (mulberry32). */
function randomFrom(seed: number) {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(next() * end)
  return {
    below,
    chance: (share: number): boolean => next() < share,
    bytes: (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => below(256))),
    one: <T>(items: readonly T[]): T => {
      const item = items[below(items.length)]
      if (item === undefined) throw new Error('there is nothing to choose from')
      return item
    },
  }
}

const GSS_ENC_REQUEST = Buffer.from('0000000804d21630', 'hex')
const LENGTHS = [0, 3, 4, 5, 7, 8, 9, 12, 16, 10_000, 10_001, 65_535, 2 ** 31 - 1, -1, -(2 ** 31)]
const CODES = [
  80877102,
  80877103,
  80877104,
  80877105,
  3 << 16,
  (3 << 16) | 2,
  2 << 16,
  0,
  0xffffffff,
]
