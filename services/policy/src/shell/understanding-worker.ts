import { parentPort } from 'node:worker_threads'
import { keepNewest } from '@countersign/kernel'
import {
  type BesideText,
  isParserBroken,
  loadStatements,
  type TargetCatalog,
  type TargetDescription,
  understand,
} from '@countersign/statements'
import { understood, type Understood } from '../core/understood.ts'

/** A message to a worker: a description, under a number, or a text that is about one of them, along a path. */
export type Asked =
  | { readonly catalogId: number; readonly catalog: TargetDescription }
  | {
      readonly catalogId: number
      readonly path: Pick<TargetCatalog, 'searchPath' | 'pathRules'>
      readonly text: Uint8Array
      readonly beside: BesideText
      readonly bytesMax: number
    }

/** The answers of a worker: `ready` at the start and for each catalog, else the text as it is understood. */
export type Answered = 'ready' | (Understood & { readonly isBroken: boolean })

/** The most catalogs that a worker keeps; the asking side keeps the same ones. */
export const CATALOGS_MAX = 16

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  // bound: CATALOGS_MAX
  const catalogs = new Map<number, TargetDescription>()
  await loadStatements()
  // Warms up the compilers of JavaScript and WebAssembly, which the first texts would pay for otherwise.
  const warming: TargetCatalog = { searchPath: [], relations: [], routines: [] }
  for (let round = 0; round < 20; round++) understood(Buffer.from(WARMING), warming)
  const onAsked = (asked: Asked): void => {
    if ('catalog' in asked) {
      catalogs.set(asked.catalogId, asked.catalog)
      keepNewest(catalogs, CATALOGS_MAX)
      // The first text about a catalog sorts its names, so that is done now.
      understand('select 1', { ...asked.catalog, searchPath: [] })
      port.postMessage('ready' satisfies Answered)
      return
    }
    const { text, beside, bytesMax, catalogId, path } = asked
    const description = catalogs.get(catalogId)
    // Under another description the text would mean something else.
    if (description === undefined) throw new Error('a text is about a description that is not here')
    const catalog = { ...description, ...path }
    const found = understood(text, catalog, { ...beside, statementBytesMax: bytesMax })
    port.postMessage({ ...found, isBroken: isParserBroken() } satisfies Answered)
  }
  // A fault here ends the thread, which its owner sees and replaces.
  // eslint-disable-next-line countersign/guarded-handlers
  port.on('message', onAsked)
  port.postMessage('ready' satisfies Answered)
}

const WARMING = `with a as (select x, y + 1 from t join u using (x) where y in (1, 2, 'z'))
  insert into v (x, y) values (1, 'two'), ($1, now()); update t set x = 1 where y = 2 or z is null`

// This stands after the constants that it needs. A module that only imports the types has no port.
if (parentPort !== null) await serve(parentPort)
