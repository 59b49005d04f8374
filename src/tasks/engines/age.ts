/** Times of creation that no two tasks of a process share. */

/**
 * Makes times in ms that always rise: tasks of one millisecond differ by a thousandth, so that the order of age is the
 * order of starts.
 *
 * @param newest the age of the last task before these
 */
export const createAges = (newest = 0): ((now: number) => number) => {
  return (now) => (newest = now > newest ? now : newest + 0.001)
}
