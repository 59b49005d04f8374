/** How something grows, told from few and noisy looks. */

/** A look: how much had happened, and what was there. */
export interface Point {
  readonly x: number
  readonly y: number
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The median of the slopes between all pairs (Theil and Sen): a third of the looks may be as wrong as they like. */
export const slopeOf = (points: readonly Point[]): number => {
  const slopes = points.flatMap((a, index) =>
    points.slice(index + 1).flatMap((b) => (b.x === a.x ? [] : [(b.y - a.y) / (b.x - a.x)])),
  )
  return slopes.length === 0 ? 0 : median(slopes)
}
