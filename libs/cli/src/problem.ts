import { ERROR_CODES, type Problem } from '@countersign/kernel'
import type { Context } from './context.ts'
import { hinted } from './invocation.ts'

/** A problem as RFC 9457 problem details, in the form in which the services answer it too. */
export const problemJson = (problem: Problem, command: Context['command']): object => ({
  type: `urn:countersign:error:${problem.code}`,
  title: ERROR_CODES[problem.code],
  detail: problem.message,
  code: problem.code,
  ...(problem.hint === null ? {} : { hint: hinted(problem.hint, command) }),
})

/** A problem for people, with the next step. */
export function problemText(
  problem: Problem,
  { paint, command }: Pick<Context, 'paint' | 'command'>,
): string {
  const next = problem.hint === null ? '' : `next: ${hinted(problem.hint, command)}\n`
  return `${paint('red', problem.code)}: ${problem.message}\n${next}`
}
