/** Waits for something that happens elsewhere, and says what it waited for when it does not. */
import { setTimeout as sleep } from 'node:timers/promises'

/** The first value that isn't undefined or false. */
export const until = async <T>(
  what: string,
  look: () => T | Promise<T>,
  withinMs = 10_000,
): Promise<Exclude<T, undefined | false>> => {
  for (const start = performance.now(); ; await sleep(15)) {
    const found = await look()
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>
    if (performance.now() - start > withinMs) throw new Error(`${what} did not happen within ${withinMs} ms`)
  }
}
