/**
 * A deterministic finite automaton as a table. A state is the index of its row, so that the next one stands at
 * `next[state | kind]`: reading costs the same whatever is read, where branches would be guessed wrong.
 */
export type Automaton<S> = {
  readonly next: Uint16Array
  /** The states that the rows stand for, from the first one on, by index divided by `KINDS`. */
  readonly states: readonly S[]
}

/** The kinds of characters that are read are numbers below this. */
export const KINDS = 8

/** Follows all steps from the first state, which has row 0. */
export function automaton<S>(first: S, step: (state: S, kind: number) => S): Automaton<S> {
  const states = [first]
  const rows = new Map([[JSON.stringify(first), 0]])
  const next: number[] = []
  for (let row = 0; row < states.length; row++) {
    for (let kind = 0; kind < KINDS; kind++) {
      const after = step(states[row] ?? first, kind)
      const name = JSON.stringify(after)
      const known = rows.get(name) ?? states.push(after) - 1
      rows.set(name, known)
      next.push(known * KINDS)
    }
  }
  return { next: Uint16Array.from(next), states }
}
