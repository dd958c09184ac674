import { digestOf, encodeSubject, type RequestSubject } from '@countersign/contracts'
import type { Bind } from '@countersign/postgres-wire'
import { type Ask, boundOf } from './pipeline-plan.ts'

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

type Asked = Omit<Ask, 'bind' | 'sql' | 'firstStep' | 'lastStep'> & {
  readonly bind: Pick<Bind, 'formats' | 'values' | 'resultFormats'> | null
}

/** The subject of a request, as the bytes that are encrypted, and the digest that an approval binds. */
export function subjectOf(ask: Asked, context: SubjectContext): { bytes: Buffer; digest: string } {
  const bytes = encodeSubject({
    protocol: 'Postgres',
    kind: ask.kind,
    text: ask.text,
    parameterTypes: ask.parameterTypes,
    ...boundOf(ask.bind),
    valueTypes: ask.valueTypes,
    executes: ask.executes,
    resultFormats: ask.bind?.resultFormats ?? [],
    rowsMax: ask.rowsMax,
    copyData: ask.copyData,
    ...context,
  })
  return { bytes, digest: digestOf(bytes) }
}
