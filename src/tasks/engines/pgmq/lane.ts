/** One thing after the other. */

/** Runs what it is given in turn; a failure is its own and stops nobody else. */
export const createLane = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => {})
    return next
  }
}
