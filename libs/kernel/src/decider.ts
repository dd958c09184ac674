/**
 * A pure decision: what happened before (state) and an order (command) give what happens now (events).
 * `decide` never throws and reads no clock; a refusal is an event too.
 */
export type Decider<State, Command, Event> = {
  readonly initialState: State
  decide(command: Command, state: State): readonly Event[]
  evolve(state: State, event: Event): State
}

/** The state after a history. */
export const folded = <S, C, E>(decider: Decider<S, C, E>, history: readonly E[]): S =>
  history.reduce((state, event) => decider.evolve(state, event), decider.initialState)
