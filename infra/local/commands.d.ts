/** A command of `npm run`. */
export type RunCommand = {
  /** The file that it runs. */
  readonly main: string
  readonly says: string
  readonly options: Readonly<
    Record<string, { type: 'string' | 'boolean'; says: string; default?: string }>
  >
}

export type CommandName =
  'setup' | 'check' | 'test' | 'test:long' | 'demo' | 'up' | 'down' | 'bench'

export declare const COMMANDS: Readonly<Record<CommandName, RunCommand>>

export type Typed = Readonly<Record<string, string | boolean | undefined>>

export declare function understood(
  name: CommandName,
  words: readonly string[],
): { readonly values: Typed } | { readonly status: number; readonly text: string }
