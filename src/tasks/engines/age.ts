/** Times of creation that no two tasks of a process share. */

/**
 * Makes times in ms that always rise: tasks of one millisecond differ by a thousandth, so that the order of age is the
 * order of starts.
 */
export const createAges = (): ((now: number) => number) => {
  let newest = 0
  return (now) => (newest = now > newest ? now : newest + 0.001)
}
