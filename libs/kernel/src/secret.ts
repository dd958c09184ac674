import { inspect } from 'node:util'

/** A value that must not be printed: it shows as `[secret]` in logs, JSON and the console. */
export class Secret<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The value itself. Each call is a place where the secret leaves its wrapper: keep them few. */
  expose(): T {
    return this.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}

const MASK = '[secret]'
