import { ERROR_CODES, type Problem } from '@countersign/kernel'
import type { Context } from './context.ts'
import { hinted } from './invocation.ts'

/** What went wrong as RFC 9457 problem details, as the services answer it too. */
export const problemJson = (problem: Problem, command: Context['command']): object => ({
  type: `urn:countersign:error:${problem.code}`,
  title: ERROR_CODES[problem.code],
  detail: problem.message,
  code: problem.code,
  ...(problem.hint === null ? {} : { hint: hinted(problem.hint, command) }),
})

/** What went wrong for people, and what to do next. */
export function problemText(
  problem: Problem,
  { paint, command }: Pick<Context, 'paint' | 'command'>,
): string {
  const next = problem.hint === null ? '' : `next: ${hinted(problem.hint, command)}\n`
  return `${paint('red', problem.code)}: ${problem.message}\n${next}`
}
