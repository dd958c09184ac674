import { spawn } from 'node:child_process'
import { Problem } from '@countersign/kernel'

export type Execution = { readonly status: number; readonly output: string }

/** Runs a program to its end and gives its status and everything it printed. */
export function executed(
  file: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<Execution> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => void chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() }),
    )
  })
}

/** Runs a program that must succeed; else a `Problem` with what it printed. */
export async function execute(
  file: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<string> {
  const { status, output } = await executed(file, args, options).catch((cause: unknown) => {
    throw new Problem('CS_CONFIG_INVALID', `${file} could not be started`, {
      cause,
      hint: `Install ${file}.`,
    })
  })
  if (status === 0) return output
  const tail = output.trim().split('\n').slice(-OUTPUT_LINES_MAX).join('\n')
  throw new Problem(
    'CS_CONFIG_INVALID',
    `${file} ${args[0] ?? ''} ended with status ${status}:\n${tail}`,
  )
}

const OUTPUT_LINES_MAX = 20
