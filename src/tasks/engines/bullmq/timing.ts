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

/** A task of a killed host runs again after at most lease + recoverEvery: 13 s. */
export const TIMING: Timing = { lease: 9000, recoverEvery: 4000, sweepEvery: 60_000, lookEvery: 5000 }
