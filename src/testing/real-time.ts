/** Real time, as it was before anybody's fake timers took its place. */

const { setImmediate: soon, setTimeout: later } = globalThis
const now = performance.now.bind(performance)

/** Milliseconds since some moment. */
export const realNow = (): number => now()

/** Resolves when the event loop has been round. */
export const turn = (): Promise<void> => new Promise((resolve) => void soon(resolve))

/** Calls back when the event loop has been round. */
export const inATurn = (act: () => void): void => void soon(act)

/** Resolves after so many ms. */
export const realSleep = (ms: number): Promise<void> => new Promise((resolve) => void later(resolve, ms))
