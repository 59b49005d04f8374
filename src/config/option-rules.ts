/** How options are checked: a rule for each, as data, and what is wrong with them, all at once and in sentences. */
import { expectedOneOf } from './near-miss.ts'
import { toMilliseconds, type Duration } from '../protocol/duration.ts'

/** What an option must be: a test, and the words for it. */
export interface Rule {
  readonly holds: (value: unknown) => boolean
  readonly expected: string
}

/** The rules of a set of options. Those it doesn't name are refused. */
export type Rules<T> = { readonly [K in keyof Required<T>]: Rule }

export const BOOLEAN: Rule = { holds: (value) => typeof value === 'boolean', expected: 'true or false' }

/** Any text but none at all. */
export const someText = (expected: string): Rule => ({
  holds: (value) => typeof value === 'string' && value !== '',
  expected,
})

/** A list of such texts. */
export const someTexts = (expected: string): Rule => ({
  holds: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== ''),
  expected,
})

// As it is sent: a path with other characters would come percent-encoded and never match.
const isPath = (value: unknown): boolean =>
  typeof value === 'string' && /^\/[!-~]*[!-.0-~]$/.test(value) && !/[?#{}]/.test(value)

/** A path of routes. */
export const path = (example: string): Rule => ({ holds: isPath, expected: `a path like "${example}"` })

/** Or `false`, which turns it off. */
export const orFalse = ({ holds, expected }: Rule): Rule => ({
  holds: (value) => value === false || holds(value),
  expected: `${expected}, or false`,
})

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
  `option ${name} is unknown, ${expectedOneOf(name.split('.').at(-1) as string, known)}`

/** A value in a sentence. */
export const show = (value: unknown): string =>
  typeof value === 'function' || typeof value === 'bigint'
    ? String(value)
    : (JSON.stringify(value) ?? String(value))

/** @throws TypeError with everything that is wrong */
export const refuseProblems = (where: string, problems: readonly string[]): void => {
  if (problems.length > 0) throw new TypeError(`${where}: ${problems.join('; ')}`)
}
