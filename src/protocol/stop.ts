/**
 * What ends a wait: a signal of its own that follows the caller's and a time limit, and promises that heed it.
 * AbortSignal.any and AbortSignal.timeout would leave a listener and a timer behind when the wait is over.
 */

/** The way to end a wait, and to let go of what it follows. */
export interface Stop {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
  /** No longer follows anything. */
  release(): void
}

/** Node's and browsers' timers hold 31 bits, about 25 days. */
const LONGEST_TIMER = 2 ** 31 - 1

const timedOut = (ms: number): DOMException =>
  new DOMException(`It took longer than ${ms} ms; the task goes on`, 'TimeoutError')

/** Aborts when another signal does and, if asked, after so many ms. */
export const stopWith = (outer?: AbortSignal, ms?: number): Stop => {
  const controller = new AbortController()
  const abort = (reason?: unknown): void => controller.abort(reason)
  const follow = (): void => abort(outer?.reason)
  const timer =
    ms === undefined ? undefined : setTimeout(() => abort(timedOut(ms)), Math.min(ms, LONGEST_TIMER))
  const release = (): void => {
    clearTimeout(timer)
    outer?.removeEventListener('abort', follow)
  }
  if (outer?.aborted) follow()
  else outer?.addEventListener('abort', follow)
  return { signal: controller.signal, abort, release }
}

/** As the promise goes, unless the signal aborts first. */
export const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })

/** Waits. Rejects with the signal's reason as soon as it aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  return orAborted(over, signal).finally(() => clearTimeout(timer))
}

/** Given up by whoever read it, who wants to hear no more. */
const LEFT = Symbol('left')

async function* untilLeft<T>(open: (signal: AbortSignal) => AsyncIterable<T>, stop: Stop) {
  try {
    yield* open(stop.signal)
  } catch (error) {
    if (stop.signal.reason !== LEFT) throw error
  } finally {
    stop.abort(LEFT)
    stop.release()
  }
}

/**
 * What `open` gives, begun anew by each reader. A reader that leaves stops it at once, also while it waits for the
 * next item: a generator alone would only hear of it then.
 */
export const stoppable = <T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  outer?: AbortSignal,
): AsyncIterable<T> => ({
  [Symbol.asyncIterator]: () => {
    const stop = stopWith(outer)
    const items = untilLeft(open, stop)
    const leave = (): Promise<IteratorResult<T, void>> => {
      stop.abort(LEFT)
      stop.release()
      return items.return()
    }
    return { next: () => items.next(), return: leave }
  },
})
