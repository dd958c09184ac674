export * as toClient from './to-client.ts'
export type { RunsNothing } from './to-server.ts'
export * as toServer from './to-server.ts'
export type { ErrorFields } from './to-client.ts'
export type { Binding } from './to-server.ts'
export {
  type Bare,
  type Bind,
  type ClientTag,
  type Close,
  cleartextPassword,
  type CopyData,
  type CopyFail,
  type Describe,
  type Execute,
  type FunctionCall,
  type Malformed,
  type Parse,
  type Password,
  type Query,
  type Request,
} from './client-messages.ts'
export {
  answered,
  authenticated,
  awaitsAnswer,
  type ClientMessage,
  type Frontend,
  frontend,
  FRONTEND_LIMITS,
  type FrontendLimits,
  messageUnderWay,
  opensWithTls,
  type Phase,
  receive,
} from './frontend.ts'
export { type Fault } from './reader.ts'
export { notUtf8 } from './not-utf8.ts'
export {
  clientFinal,
  clientFirst,
  SCRAM_MECHANISM,
  type ScramFinal,
  type ScramFirst,
  type ScramRefusal,
  scramVerifier,
  verifyServer,
} from './scram.ts'
export {
  frameUnderWay,
  receiveServer,
  SERVER_FRAME_BYTES_MAX,
  type ServerFrame,
  serverSide,
  type ServerSide,
  serverSslAnswer,
  type ServerTag,
} from './server-frames.ts'
export {
  type Authentication,
  authenticationOf,
  type BackendKey,
  backendKeyOf,
  cellsOf,
  everyCell,
  type Column,
  columnsOf,
  commandTagOf,
  copyDataOf,
  type CopyFormats,
  copyFormatsOf,
  errorFieldsOf,
  notificationOf,
  parameterStatusOf,
  parameterTypesOf,
  rowCountOf,
  type TransactionStatus,
  transactionStatusOf,
} from './server-messages.ts'
export type { Cancel, Startup, StartupPacket } from './startup-packet.ts'
export { startupSettings, type StartupSettings } from './startup-parameters.ts'
export { type Violation, violation, type ViolationReason } from './violation.ts'
