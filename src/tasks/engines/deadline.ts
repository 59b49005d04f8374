/** A limit on waiting: a connection that is dead, or a server that is frozen, says nothing at all. */

/** Milliseconds for a connection to be closed in good order. */
export const GOODBYE = 2000

/** @throws Error that says what took too long; `late` is told of a result that nobody waits for any more */
export const within = async <T>(
  ms: number,
  what: string,
  work: Promise<T>,
  late: (result: T) => void = () => {},
): Promise<T> => {
  const over = Promise.withResolvers<never>()
  let isOver = false
  const timer = setTimeout(() => {
    isOver = true
    over.reject(new Error(`${what} took longer than ${ms} ms`))
  }, ms)
  work.then(
    (result) => isOver && late(result),
    () => {}, // Whoever waits hears of it below; once nobody does, it is no news.
  )
  try {
    return await Promise.race([work, over.promise])
  } finally {
    clearTimeout(timer)
  }
}
