/** How often is what. All in ms. */
export interface Timing {
  /** How long a host has a task without renewing that: BullMQ's lock. */
  readonly lease: number
  /** Between two looks for tasks whose host was lost; the second one that finds it so puts it back. */
  readonly recoverEvery: number
  /** Between two looks for records whose time is over. */
  readonly sweepEvery: number
  /** Between two looks at a queue of which nothing was heard. */
  readonly lookEvery: number
}

/** A task of a killed host runs again after at most lease + recoverEvery: 11 s, where the promise is 15. */
export const TIMING: Timing = { lease: 8000, recoverEvery: 3000, sweepEvery: 60_000, lookEvery: 5000 }

/** BullMQ lets only one host look in such a time: less than that between two looks of one, or each other one is for nothing. */
export const recoverGuard = ({ recoverEvery }: Timing): number => Math.round(recoverEvery * 0.7)
