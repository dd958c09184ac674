import type { Memory, Reservation } from './memory.ts'

/**
 * What the messages of one agent take of the memory, from their first bytes until they are done with. Each agent has a little
 * that nobody counts. Above it memory is reserved before more is read, with all copies that are made of a message on its way;
 * of what waits for people or runs at the target the message alone lasts.
 */
export type Intake = Disposable & {
  /** Says how much is here, and how much it is with the rest of the message on its way. Memory for more is given back. */
  holds(hereBytes: number, wholeBytes: number): void
  /** Whether there is memory for what is here, so that more of it may be read. */
  covers(): boolean
  /** Whether it has memory that others may wait for. */
  isReserved(): boolean
  /** Resolves when there is memory for the whole. */
  reserved(): Promise<void>
  /** Nobody waits for the rest of what is on its way: memory for it is given back. */
  rest(): void
  /** Takes memory for so many bytes more, at once or not at all, for as long as they are here. */
  grow(bytes: number): boolean
  /** What is here will be here for long. It keeps no others waiting. */
  lasts(): void
  /** The same, at once or not at all: false where what waits has all the memory that there is for it. */
  waits(): boolean
}

export function intakeOf(memory: Memory, owner: string): Intake {
  const share = memory.share(owner)
  let reservation: Reservation | null = null
  /** Without its copies. */
  let reservedBytes = 0
  let here = 0
  let whole = 0
  let isOver = false

  function keep(bytes: number): void {
    if (bytes >= reservedBytes) return
    reservedBytes = bytes
    reservation?.keep(bytes * COPIES)
    if (bytes === 0) reservation = null
  }

  /** Keeps what is needed for the whole, and no more. */
  function giveBack(): void {
    const counted = Math.max(0, whole - OWN_BYTES)
    share.shrink(share.bytes() - counted)
    keep(counted - share.bytes())
  }

  /** How much of what is here and counted is not in the share. */
  const unshared = (): number => Math.max(0, here - OWN_BYTES - share.bytes())

  return {
    holds(hereBytes, wholeBytes) {
      const isLess = wholeBytes < whole
      here = hereBytes
      whole = wholeBytes
      if (isLess) giveBack()
    },
    covers: () => here <= OWN_BYTES + reservedBytes + share.bytes(),
    isReserved: () => reservedBytes > 0,
    async reserved() {
      // What is had already is asked for again with the rest: who has some and waits for more could wait for ever.
      keep(0)
      const bytes = Math.max(0, whole - OWN_BYTES - share.bytes())
      const given = await memory.reserve(bytes * COPIES, share)
      if (isOver) return given.release()
      reservation = given
      reservedBytes = bytes
      giveBack()
    },
    rest: () => keep(unshared()),
    grow: (bytes) => !isOver && share.grow(bytes) === 'taken',
    lasts() {
      if (isOver || reservedBytes === 0) return
      share.add(unshared())
      keep(0)
    },
    waits() {
      if (isOver) return true
      const bytes = unshared()
      if (bytes > 0 && share.grow(bytes) !== 'taken') return false
      keep(0)
      return true
    },
    [Symbol.dispose]() {
      isOver = true
      keep(0)
      share[Symbol.dispose]()
    },
  }
}

/** Agents get so much beside what the knob gives to rows: one who sends and one who reads never wait for each other. */
export const INTAKE_PART = 1 / 2
/** A slice of a pipeline and what is read ahead of the next; many sessions have far less. */
export const OWN_BYTES = 1024 * 1024
/** A message as it came, what is digested, sealed, and written for the log, and what is sent; measured with values of 16 MB. */
export const COPIES = 6
