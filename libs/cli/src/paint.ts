import { styleText } from 'node:util'

/** Colours for a terminal, or none of them. */
export type Paint = (style: Style, text: string) => string
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Colours only where a person looks, and never where they asked for none (no-color.org). */
export function paintFor(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isWanted = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return (style, text) => (isWanted ? styleText(style, text, { validateStream: false }) : text)
}

/** The colour of a status or a kind of event. */
export function styleOf(word: string): Style {
  if (['granted', 'countersigned', 'released', 'completed', 'added'].includes(word)) return 'green'
  if (['pending', 'held', 'waiting', 'changed'].includes(word)) return 'yellow'
  if (['denied', 'refused', 'expired', 'failed', 'blocked', 'removed'].includes(word)) return 'red'
  return 'dim'
}
