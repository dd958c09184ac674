import { CommanderError } from 'commander'
import { messageOf, Problem } from '@countersign/kernel'
import { type Context, contextOf } from './context.ts'
import { commandLine, hinted } from './invocation.ts'
import type { Io } from './io.ts'
import { paintFor, safely } from './paint.ts'
import { printableJson } from './printable.ts'
import { problemJson, problemText } from './problem.ts'
import { NEXT, programFor } from './program.ts'
import type { GlobalOptions } from './settings.ts'

/** The work of a command; its number is the exit status. */
export type Work = (context: Context) => Promise<number | void> | number | void

/** Runs one command line; gives its exit status: 0 done, 1 refused or failed, 2 not understood. */
export async function run(words: readonly string[], world: Io): Promise<number> {
  const io = safely(world)
  const paint = paintFor(io.isTerminal, io.env)
  const isJson = words.includes('--json')
  // bound: as long as one command line
  const said: string[] = []
  let status = 0
  let options: GlobalOptions = {}
  const program = programFor({
    out: io.out,
    // With --json a mistake of the caller is reported on stdout, as problem details.
    err: isJson ? (text) => void said.push(text) : (text) => io.err(hinted(text, line)),
    async perform(work) {
      options = program.opts<GlobalOptions>()
      status = (await work(contextOf(io, options))) ?? 0
    },
  })
  try {
    await program.parseAsync([...words], { from: 'user' })
    return status
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return 0
      if (isJson) printProblem(misunderstood(thrown, said.join('')))
      return 2
    }
    const problem = thrown instanceof Problem ? thrown : null
    if (isJson) printProblem(problem ?? new Problem('CS_INTERNAL', messageOf(thrown)))
    else
      io.err(
        problem === null ? mistakeText(thrown) : problemText(problem, { paint, command: line }),
      )
    return 1
  }

  function printProblem(problem: Problem): void {
    io.out(`${printableJson(problemJson(problem, line), 2)}\n`)
  }

  /** A fault of our own is printed with the place where it happened. */
  function mistakeText(thrown: unknown): string {
    const failed = paint('red', 'failed')
    return `${failed}: ${thrown instanceof Error ? (thrown.stack ?? '') : messageOf(thrown)}\n`
  }

  function line(typed: string): string {
    return commandLine(io.invokedAs ?? 'countersign', typed, options)
  }
}

/** The message of commander as a problem. Where a command is missing, commander prints the help alone. */
function misunderstood({ message }: CommanderError, said: string): Problem {
  const hint = said.split('\n').find((text) => text.startsWith(NEXT))
  const detail = message.startsWith('(') ? 'a command is needed' : message.replace(/^error: /, '')
  return new Problem('CS_BAD_REQUEST', detail, {
    hint: hint === undefined ? 'See `countersign --help`.' : hint.slice(NEXT.length),
  })
}
