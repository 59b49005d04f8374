/**
 * The seat of a store: the place for the mark of the one process that has it. Each store keeps it as well as it can;
 * what is done with it is the same for all (guard.ts).
 *
 * Not in it: locks that the system holds for a process, such as a file's. A store with one of those has no seat.
 */

/** What a look at the seat found. */
export interface Seated {
  /** Whose mark is there. */
  readonly mark: string
  /** In so many ms it falls free, unless it is kept: a number that grows was kept in between. */
  readonly left: number
}

/** One place for one mark. Methods reject when the store can't be asked. */
export interface Seat {
  /** Puts the mark there when the seat is free. Resolves with the mark that is there then, this or another. */
  take(mark: string): Promise<Seated>
  /** Keeps it for another while. Resolves with the mark that is there: another's, or none when it fell free. */
  keep(mark: string): Promise<string | undefined>
  /** Frees the seat if this mark is there. */
  leave(mark: string): Promise<void>
}

/** Milliseconds. */
export interface SeatTimes {
  /** How often it is kept. */
  readonly beat: number
  /** How long it is held without being kept. */
  readonly hold: number
  /** How often somebody who wants it looks. */
  readonly look: number
}

/** A killed process is replaced within 7 s; one that lives has three beats to say so. */
export const SEAT_TIMES: SeatTimes = { beat: 2000, hold: 7000, look: 500 }
