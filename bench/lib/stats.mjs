export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return NaN
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export const best = (values) => Math.max(...values.filter(Number.isFinite))
export const least = (values) => Math.min(...values.filter(Number.isFinite))

/** The list turned by `by` places: a fair start order over the rounds. */
export const rotate = (values, by) => values.map((_, i) => values[(i + by) % values.length])

export const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '-')

/** The value below which a share of all values lie. */
export const quantile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]
