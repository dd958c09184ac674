import { randomBytes } from 'node:crypto'
import type { Io } from './io.ts'
import { printable } from './printable.ts'

/** Colours for a terminal, or none of them. */
export type Paint = (style: Style, text: string) => string
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Colours only where a person looks, and never where they asked for none (no-color.org). */
export function paintFor(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isWanted = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return (style, text) => (isWanted ? `${mark(style)}${text}${mark('reset')}` : text)
}

/**
 * The one way to a terminal: every character that could move its cursor or change its colours is shown as an escape,
 * whoever wrote it and even where a command forgot that. Colours of our own pass as marks that nobody else can know.
 */
export function safely(io: Io): Io {
  const { ask } = io
  return {
    ...io,
    out: (text) => io.out(shown(text)),
    err: (text) => io.err(shown(text)),
    ask: ask === null ? null : (question) => ask(shown(question)),
  }
}

/** The number of characters of a text that are seen. */
export const widthOf = (text: string): number => [...text.replace(MARKS, '')].length

/** The colour of a status or a kind of event. */
export function styleOf(word: string): Style {
  if (['granted', 'countersigned', 'released', 'completed', 'added'].includes(word)) return 'green'
  if (['pending', 'held', 'waiting', 'changed'].includes(word)) return 'yellow'
  if (['denied', 'refused', 'expired', 'failed', 'blocked', 'removed'].includes(word)) return 'red'
  return 'dim'
}

const shown = (text: string): string =>
  printable(text).replace(MARKS, (_, style: string) => `\u001b[${CODES[style] ?? '0'}m`)

const CODES: Readonly<Record<string, string>> = {
  reset: '0',
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
  cyan: '36',
}
/** The secret part of our marks, new for each process. */
const SECRET = randomBytes(12).toString('hex')
const mark = (style: Style | 'reset'): string => `\u{f5500}${SECRET}:${style}\u{f5500}`
const MARKS = new RegExp(`\u{f5500}${SECRET}:([a-z]+)\u{f5500}`, 'gu')
