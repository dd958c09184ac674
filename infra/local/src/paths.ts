import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
/** Where everything that runs locally keeps its data; ignored by git. */
export const DATA = join(ROOT, '.countersign')
/** What is downloaded or prepared once for all instances. */
export const CACHE = join(DATA, 'cache')
/** What Node compiled before (`NODE_COMPILE_CACHE`): a process that starts again needs half of the processor's time. */
export const COMPILED = join(CACHE, 'compiled')
