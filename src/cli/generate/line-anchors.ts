/** Lines that two texts have in common beyond doubt: where a comparison of large texts can be split. */

/** Where a line is in the old text and in the new. */
export type Anchor = readonly [old: number, now: number]

/** Places of the lines that are there once. */
const placesOf = (lines: readonly string[]): Map<string, number> => {
  const places = new Map<string, number>()
  for (const [at, line] of lines.entries()) places.set(line, places.has(line) ? -1 : at)
  return places
}

const uniquePairs = (old: readonly string[], now: readonly string[]): Anchor[] => {
  const places = placesOf(now)
  return [...placesOf(old)]
    .map(([line, at]): Anchor => [at, places.get(line) ?? -1])
    .filter(([oldAt, nowAt]) => oldAt >= 0 && nowAt >= 0)
    .sort(([a], [b]) => a - b)
}

interface Step {
  readonly anchor: Anchor
  readonly before: Step | undefined
}

/** The first of the steps that isn't before a place of the new text. */
const firstNotBefore = (steps: readonly Step[], place: number): number => {
  let [low, high] = [0, steps.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (steps[middle]!.anchor[1] < place) low = middle + 1
    else high = middle
  }
  return low
}

/** The most lines that are once in each text, in the same order in both. */
export const anchorsOf = (old: readonly string[], now: readonly string[]): Anchor[] => {
  const steps: Step[] = []
  for (const anchor of uniquePairs(old, now)) {
    const at = firstNotBefore(steps, anchor[1])
    steps[at] = { anchor, before: steps[at - 1] }
  }
  const anchors: Anchor[] = []
  for (let step = steps.at(-1); step; step = step.before) anchors.push(step.anchor)
  return anchors.toReversed()
}
