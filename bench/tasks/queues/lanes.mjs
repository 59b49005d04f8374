/** Milliseconds since 1970, finer than `Date.now`, the same in all processes of a machine. */
export const now = () => performance.timeOrigin + performance.now()

/** Does `count` things, so many at once. */
export async function inLanes(lanes, count, act) {
  let next = 0
  const lane = async () => {
    while (next < count) await act(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
