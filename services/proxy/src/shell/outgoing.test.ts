// A rule of types: `npm run typecheck` fails when one of the lines marked here compiles, for example when `describe` of
// libs/postgres-wire/src/to-server.ts gives a plain Buffer, or `query` gives bytes that run nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestReleased } from '@countersign/contracts'
import type { Recorded } from '@countersign/log'
import { type Request, toServer } from '@countersign/postgres-wire'
import type { Outgoing } from './target.ts'

test('what carries bytes of a client goes out with the proof that it is on record, or does not compile', () => {
  const allowed: Outgoing[] = [
    { runs: null, bytes: toServer.sync() },
    { runs: null, bytes: toServer.flush() },
    { runs: null, bytes: toServer.describe('portal', 'p') },
    { runs: null, bytes: toServer.close('statement', 's') },
    { runs: null, bytes: toServer.copyDone() },
    { runs: null, bytes: toServer.copyGivenUp() },
  ]
  assert.equal(allowed.length, 6)
})

/** Never called: it is looked at by the compiler alone. */
export function compiled(message: Request, released: Recorded<RequestReleased>): Outgoing[] {
  return [
    { runs: released, bytes: message.raw },
    // @ts-expect-error the bytes of a client, without a proof
    { runs: null, bytes: message.raw },
    // @ts-expect-error words without a proof
    { runs: null, bytes: toServer.query('select 1') },
    // @ts-expect-error a Parse without a proof
    { runs: null, bytes: toServer.parse('s', 'select 1') },
    // @ts-expect-error values without a proof
    { runs: null, bytes: toServer.bind() },
    // @ts-expect-error an Execute without a proof
    { runs: null, bytes: toServer.execute() },
    // @ts-expect-error data without a proof
    { runs: null, bytes: toServer.copyData(Buffer.alloc(1)) },
    // @ts-expect-error the words of a client that fails its COPY
    { runs: null, bytes: toServer.copyFail('words') },
    // @ts-expect-error a release that nobody recorded
    { runs: { message: released.message }, bytes: message.raw },
  ]
}
