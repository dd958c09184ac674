export { type Archive, archiveIn, archivePath } from './archive.ts'
export type { Content } from './container.ts'
export {
  type Envelope,
  envelopeBytes,
  envelopeOf,
  envelopesIn,
  recordIn,
  typeIn,
} from './envelope.ts'
