import { type System, waysIn } from '@countersign/local'
import type { Narrator } from './narrator.ts'

/** Lists the commands that a visitor can try while everything is up. */
export function tryByHand(system: System, narrator: Narrator): void {
  narrator.chapter('Now you: it stays up until Ctrl-C or "npm run down"')
  for (const line of waysIn(system)) narrator.say(`   ${line}`)
}
