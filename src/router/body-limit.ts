/** How large a body may be: bytes, or a text like `'10mb'`. */
import type { Rule } from '../config/option-rules.ts'
import type { Meta } from '../procedures/meta.ts'

type Size = NonNullable<Meta['bodyLimit']>

const UNITS: Record<string, number> = { kb: 1024, mb: 1024 ** 2 }

/** A size in bytes; NaN for what `sizeProblem` finds wrong. */
export const toBytes = (size: Size): number => {
  if (typeof size === 'number') return size >= 0 ? size : NaN
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(kb|mb)$/.exec(size) ?? []
  return Number(amount) * (UNITS[unit] ?? NaN)
}

/** What is wrong with a `bodyLimit`, in words. */
export const sizeProblem = (size: Size | undefined): string | undefined =>
  size === undefined || Number.isFinite(toBytes(size))
    ? undefined
    : `bodyLimit ${JSON.stringify(size)} is not a size: give bytes or a text like '10mb'`

/** What a body limit must be. */
export const SIZE: Rule = {
  holds: (value) =>
    (typeof value === 'number' || typeof value === 'string') && Number.isFinite(toBytes(value as Size)),
  expected: "bytes or a text like '10mb'",
}
