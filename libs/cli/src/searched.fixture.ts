import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/** Counts the characters of all strings on which these methods are called, until the test ends. */
export function searchedBy(t: TestContext, ...names: readonly string[]): { characters: number } {
  const searched = { characters: 0 }
  for (const name of names) {
    const original: unknown = Reflect.get(String.prototype, name)
    assert(typeof original === 'function')
    Reflect.set(String.prototype, name, function (this: string, ...given: unknown[]) {
      searched.characters += this.length
      return Reflect.apply(original, this, given)
    })
    t.after(() => Reflect.set(String.prototype, name, original))
  }
  return searched
}
