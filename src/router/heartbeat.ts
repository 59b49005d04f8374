/** One timer for all open event streams, however many and however busy. */

/** Milliseconds between comments that keep proxies from closing a quiet stream. */
const HEARTBEAT = 15_000

const listeners = new Set<() => void>()
let timer: NodeJS.Timeout | undefined

const beat = (): void => {
  for (const listener of listeners) listener()
}

/** Calls back every 15 seconds, until what it returns is called. */
export const onHeartbeat = (listener: () => void): (() => void) => {
  listeners.add(listener)
  timer ??= setInterval(beat, HEARTBEAT).unref()
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}
