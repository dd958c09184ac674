import { digestOf, encodeSubject, type RequestSubject } from '@countersign/contracts'
import type { Ask } from './pipeline-plan.ts'

/** The fields that the session adds to a request. */
export type SubjectContext = Pick<
  RequestSubject,
  | 'sessionId'
  | 'agent'
  | 'target'
  | 'baseRoles'
  | 'stateVersion'
  | 'policyVersion'
  | 'salt'
  | 'settings'
>

/** The subject of a request, all that is asked: the bytes that are encrypted, and the digest that an approval binds. */
export function subjectOf(ask: Ask, context: SubjectContext): { bytes: Buffer; digest: string } {
  const bytes = encodeSubject({
    protocol: 'Postgres',
    kind: ask.kind,
    text: ask.text,
    parameterTypes: ask.parameterTypes,
    parameterFormats: ask.parameterFormats,
    parameters: ask.parameters,
    valueTypes: ask.valueTypes,
    executes: ask.executes,
    resultFormats: ask.resultFormats,
    rowsMax: ask.rowsMax,
    copyData: ask.copyData,
    ...context,
  })
  return { bytes, digest: digestOf(bytes) }
}
