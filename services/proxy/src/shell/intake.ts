import type { Ask, Memory, Reservation } from './memory.ts'

/**
 * The memory that the messages of one agent take, from their first bytes until they are done with. `OWN_BYTES` of each session
 * are not counted; all above them is counted at any time. Memory is reserved before more is read, with all copies that are
 * made of a message on its way. Messages that wait for people, run at the target, or are read ahead count once, in a share.
 */
export type Intake = Disposable & {
  /** Says how much is here, and how much it is with the rest of the message on its way. Memory for more is given back. */
  holds(hereBytes: number, wholeBytes: number): void
  /** True if there is memory for what is here, so that more of it may be read. */
  covers(): boolean
  /** The same, and there is some left. */
  hasRoom(): boolean
  /** True if there is memory for the whole. */
  fits(): boolean
  /** True if memory is reserved for the rest of what is on its way, until `arrived`. */
  isArriving(): boolean
  arrived(): void
  /** Resolves when there is memory for the whole, or nobody waits for it any more. */
  reserved(): Promise<void>
  /** The same for copies of so much of what is here, where it was read ahead and none could be made; else null. */
  copied(bytes: number): Copies | null
  /** Gives back the memory for the rest of what is on its way, which is not waited for any more. */
  rest(): void
  /** Takes memory to read a little ahead, at once or not at all. A session without anything ahead always gets some. */
  look(): boolean
  /** Gives back what was taken to read ahead and was not needed. */
  trim(): void
  /** Says that so many of the bytes that are here will be here for long. They keep no others waiting. */
  lasts(bytes?: number): void
  /** The same for messages that wait for people; false where such have all the memory that there is for them. */
  waits(bytes?: number): boolean
}

/** Somebody waits for memory for copies, until it is given or this is disposed of. */
export type Copies = Disposable & { readonly given: Promise<void> }

export function intakeOf(memory: Memory, owner: string): Intake {
  const share = memory.share(owner)
  let reservation: Reservation | null = null
  /** One at a time. */
  let asking: { readonly one: Ask; readonly isForRest: boolean } | null = null
  /** Without its copies. */
  let reservedBytes = 0
  let isArriving = false
  let here = 0
  let whole = 0
  let lasting = 0
  let isOver = false

  function keep(bytes: number): void {
    if (bytes >= reservedBytes) return
    reservedBytes = Math.max(0, bytes)
    reservation?.keep(reservedBytes * COPIES)
    if (reservedBytes > 0) return
    reservation = null
    isArriving = false
  }

  const counted = (): number => OWN_BYTES + reservedBytes + share.bytes()

  /** The bytes that are here above `OWN_BYTES` and not in the share. */
  const unshared = (): number => Math.max(0, here - OWN_BYTES - share.bytes())

  /** Moves what is here to the share, as nothing of it is copied any more. While more arrives, `ask` has done it. */
  function shareAll(): void {
    if (isArriving) return
    share.add(unshared())
    keep(0)
  }

  function markLasting(bytes: number): void {
    lasting = bytes
    share.lasts(Math.min(share.bytes(), Math.max(0, lasting - OWN_BYTES)))
  }

  function trim(): void {
    const ahead = here - OWN_BYTES - reservedBytes
    share.shrink(share.bytes() - Math.max(share.lastingBytes(), ahead))
  }

  function withdraw(): void {
    asking?.one.withdraw()
    asking = null
  }

  async function ask(bytes: number, isForRest: boolean): Promise<void> {
    // Its own reservation goes first: a session that keeps some and waits for more could wait for ever.
    isArriving = false
    withdraw()
    shareAll()
    const now = { one: memory.ask(bytes * COPIES, share), isForRest }
    asking = now
    const given = await now.one.given
    // It is not waited for any more, and another may be asked for meanwhile.
    if (asking !== now) return trim()
    asking = null
    reservation = given
    reservedBytes = given.bytes / COPIES
    isArriving = isForRest && reservedBytes > 0
    trim()
    keep(whole - OWN_BYTES - share.bytes())
  }

  return {
    holds(hereBytes, wholeBytes) {
      const lessBytes = whole - wholeBytes
      here = hereBytes
      whole = wholeBytes
      if (here >= whole) isArriving = false
      if (lessBytes <= 0) return
      markLasting(Math.max(0, lasting - lessBytes))
      share.shrink(share.bytes() - Math.max(0, here - OWN_BYTES))
      keep(isArriving ? whole - OWN_BYTES - share.bytes() : unshared())
    },
    covers: () => here <= counted(),
    hasRoom: () => here < counted(),
    fits: () => whole <= counted(),
    isArriving: () => isArriving,
    arrived() {
      isArriving = false
    },
    reserved: () => ask(Math.max(0, whole - OWN_BYTES - share.lastingBytes()), true),
    copied(bytes) {
      const isAhead = share.bytes() > share.lastingBytes()
      if (!isAhead || bytes <= OWN_BYTES || reservedBytes > 0) return null
      const given = ask(bytes - OWN_BYTES, false)
      const own = asking
      return {
        given,
        [Symbol.dispose]() {
          if (asking === own) withdraw()
        },
      }
    },
    rest() {
      if (asking?.isForRest === true) withdraw()
      keep(unshared())
    },
    look() {
      if (isOver) return true
      for (const more of [LOOK_BYTES, LOOK_BYTES_LEAST])
        if (share.grow(Math.max(0, here + more - counted())) === 'taken') return true
      const ahead = share.bytes() - share.lastingBytes()
      share.add(Math.max(0, LOOK_BYTES_LEAST - ahead))
      return here < counted()
    },
    trim,
    lasts(bytes = here) {
      if (isOver) return
      shareAll()
      markLasting(bytes)
    },
    waits(bytes = here) {
      if (isOver) return true
      const isCounted = here > OWN_BYTES
      if (isCounted && share.grow(unshared()) !== 'taken') return false
      if (!isArriving) keep(0)
      markLasting(bytes)
      return true
    },
    [Symbol.dispose]() {
      isOver = true
      withdraw()
      keep(0)
      share[Symbol.dispose]()
    },
  }
}

/** The part of CS_MEMORY_BYTES_MAX for agents, beside the rows: senders and readers never wait for each other. */
export const INTAKE_PART = 1 / 2
/** The uncounted bytes of a session: a slice of a pipeline and what is read ahead of the next; many have far less. */
export const OWN_BYTES = 1024 * 1024
/** The copies of a message: as it came, as digested, sealed, written for the log, and sent; measured with values of 16 MB. */
export const COPIES = 6
/** The most bytes that are read each time that it is checked whether an agent is still there. */
export const LOOK_BYTES = 4 * 1024 * 1024
/** The bytes that a session may always read ahead for that check, whatever others have. */
export const LOOK_BYTES_LEAST = 1024 * 1024
