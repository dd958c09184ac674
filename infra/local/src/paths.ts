import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
/** The folder in which everything that runs locally keeps its data; ignored by git. */
export const DATA = join(ROOT, '.countersign')
/** The folder of files that are downloaded or prepared once for all instances. */
export const CACHE = join(DATA, 'cache')
/** Code that Node compiled before (`NODE_COMPILE_CACHE`): a second start needs half of the processor's time. */
export const COMPILED = join(CACHE, 'compiled')
