import type { Facts } from './entry.ts'
import type { SessionMessage } from './session-record.ts'

/** The facts that a message tells, field by field, under the same names for all messages. */
export function factsOf(message: SessionMessage): Facts {
  const said = new Map<string, unknown>(Object.entries(message))
  const text = (name: string): string | undefined => {
    const value = said.get(name)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const version = text('policyVersion')
  const rules = 'rules' in message ? { rules: message.rules } : {}
  const roles = 'roles' in message ? message.roles : 'raise' in message ? message.raise : undefined
  const decisionId =
    'decisionId' in message && message.decisionId !== null ? message.decisionId : undefined
  return {
    ...(version === undefined ? {} : { policy: { version, ...rules } }),
    ...(decisionId === undefined ? {} : { decisionId }),
    ...('content' in message && message.content !== null ? { digest: message.content.digest } : {}),
    ...('chains' in message ? { chains: message.chains.map(({ name }) => name) } : {}),
    ...('stageComplete' in message ? { stageComplete: message.stageComplete } : {}),
    ...('signers' in message ? { signers: message.signers } : {}),
    ...(roles === undefined ? {} : { roles }),
    ...('rows' in message ? { rows: message.rows } : {}),
    ...Object.fromEntries(
      TEXTS.flatMap((name) => {
        const value = text(name)
        return value === undefined ? [] : [[name, value]]
      }),
    ),
  }
}

const TEXTS = [
  'digest',
  'approvalId',
  'chain',
  'stage',
  'coverage',
  'code',
  'reason',
  'outcome',
  'commandTag',
  'sqlState',
] as const
