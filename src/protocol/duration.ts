/** A length of time: milliseconds, or a number with a unit, as in `'250ms'`, `'10s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }

/**
 * A duration in milliseconds.
 * @throws RangeError when it is negative, not finite, or not of the documented form.
 */
export const toMilliseconds = (duration: Duration): number => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration)) ?? []
  const ms = typeof duration === 'number' ? duration : Number(amount) * (UNIT[unit ?? ''] ?? NaN)
  if (Number.isFinite(ms) && ms >= 0) return ms
  throw new RangeError(
    `${JSON.stringify(duration)} is not a duration: give milliseconds or a text like '10s' or '5m'`,
  )
}
