import type { WriteStream } from 'node:tty'

/** Tells a story on an output; uses colours only if that is a terminal. */
export type Narrator = {
  /** Begins a chapter, with its number. */
  chapter(text: string): void
  say(text: string): void
  /** Shows a command that somebody types. */
  typed(who: string, text: string): void
  /** Shows the output of a program. */
  printed(text: string): void
  /** Shows whether a step did what it should. */
  checked(isAsExpected: boolean, text: string): void
}

export function Narrator(out: WriteStream | NodeJS.WriteStream): Narrator {
  const isTerminal = out.isTTY && process.env['NO_COLOR'] === undefined
  const paint = (code: string, text: string): string =>
    isTerminal ? `\x1b[${code}m${text}\x1b[0m` : text
  const line = (text: string): void => void out.write(`${text}\n`)
  let number = 0
  return {
    chapter: (text) => line(`\n${paint('1', `${++number}. ${text}`)}`),
    say: line,
    typed: (who, text) => line(`   ${paint('36', `${who} $`)} ${text}`),
    printed(text) {
      for (const one of text.trimEnd().split('\n')) line(`   ${paint('2', '│')} ${one}`)
    },
    checked: (isAsExpected, text) =>
      line(`   ${isAsExpected ? paint('32', '✓') : paint('31', '✗')} ${text}`),
  }
}
