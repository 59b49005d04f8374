/** What SIGTERM and SIGINT do to a process that serves: the first closes its servers, a later one ends it at once. */

/** Something that a signal closes. */
export interface Closable {
  /** Told of the signal before anything closes. */
  told(signal: NodeJS.Signals): void
  /** Never rejects. */
  close(): Promise<void>
}

/** By convention the exit code of a process that a signal ended is 128 and its number. */
const NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGTERM: 15 }
const SIGNALS = Object.keys(NUMBERS) as NodeJS.Signals[]

/** Within this time a signal is the same one again: npm passes on what the whole process group also got. */
const ECHO = 500

/** How long a process may take to end of itself, once everything is closed. */
const LAST_BREATH = 1000

// One pair of listeners for all apps of a process.
const open = new Set<Closable>()
let heardAt: number | undefined

const hear = (signal: NodeJS.Signals): void => {
  const now = performance.now()
  if (heardAt === undefined) {
    heardAt = now
    void closeAll(signal)
  } else if (now - heardAt > ECHO) process.exit(128 + (NUMBERS[signal] ?? 0))
}

const closeAll = async (signal: NodeJS.Signals): Promise<void> => {
  const all = [...open]
  for (const one of all) one.told(signal)
  await Promise.all(all.map((one) => one.close()))
  // Something may still hold the process: a timer, a database. The signal alone would have ended it; whoever else
  // listens for it has plans of his own.
  if (process.listenerCount(signal) === 1) setTimeout(() => process.exit(), LAST_BREATH).unref()
}

/** Lets signals close it, until the function that is returned is called. */
export const closeOnSignal = (one: Closable): (() => void) => {
  if (open.size === 0 && heardAt === undefined) for (const signal of SIGNALS) process.on(signal, hear)
  open.add(one)
  return () => {
    open.delete(one)
    // After a signal they stay: its echo must not end what is about to end well.
    if (open.size === 0 && heardAt === undefined) for (const signal of SIGNALS) process.off(signal, hear)
  }
}
