/** How options are checked: a rule for each, as data, and what is wrong with them, all at once and in sentences. */
import { toMilliseconds, type Duration } from '../protocol/duration.ts'

/** What an option must be: a test, and the words for it. */
export interface Rule {
  readonly holds: (value: unknown) => boolean
  readonly expected: string
}

/** The rules of a set of options. Those it doesn't name are refused. */
export type Rules<T> = { readonly [K in keyof Required<T>]: Rule }

/** One of these words. */
export const oneOf = (...words: readonly string[]): Rule => ({
  holds: (value) => words.includes(value as string),
  expected: `one of ${words.map((word) => `'${word}'`).join(', ')}`,
})

/** Both ends are allowed. */
export const wholeNumber = (from: number, to: number, example: number): Rule => ({
  holds: (value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
  expected: `a whole number from ${from} ${to === Infinity ? 'up' : `to ${to}`}, such as ${example}`,
})

const milliseconds = (value: unknown): number => {
  try {
    return toMilliseconds(value as Duration)
  } catch {
    return NaN
  }
}

/** Node's timers hold 31 bits: a longer one fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

/** From and to are milliseconds. */
export const duration = (from: number, to: number, expected: string): Rule => ({
  holds: (value) => milliseconds(value) >= from && milliseconds(value) <= to,
  expected: `${expected}: milliseconds or a text like '250ms', '10s', '5m', '2h', '7d'`,
})

export const ANY_DURATION = duration(0, Infinity, 'a duration')

export const FUNCTION: Rule = { holds: (value) => typeof value === 'function', expected: 'a function' }

/** What is wrong with options. `prefix` is put before their names. */
export const optionProblems = (
  options: object,
  rules: Readonly<Record<string, Rule>>,
  prefix = '',
): string[] =>
  Object.entries(options).flatMap(([name, value]) => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (!rule) return [unknownOption(prefix + name, Object.keys(rules))]
    return value === undefined || rule.holds(value) ? [] : [wrongOption(prefix + name, value, rule.expected)]
  })

/** For a rule over several options. */
export const wrongOption = (name: string, value: unknown, expected: string): string =>
  `option ${name} is ${show(value)}, expected ${expected}`

const unknownOption = (name: string, known: readonly string[]): string =>
  `option ${name} is unknown, expected one of ${known.join(', ')}`

/** A value in a sentence. */
export const show = (value: unknown): string =>
  typeof value === 'function' || typeof value === 'bigint'
    ? String(value)
    : (JSON.stringify(value) ?? String(value))

/** @throws TypeError with everything that is wrong */
export const refuseProblems = (where: string, problems: readonly string[]): void => {
  if (problems.length > 0) throw new TypeError(`${where}: ${problems.join('; ')}`)
}
