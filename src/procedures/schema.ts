/** The one place that calls zod's internals: run a schema on a value, as data in and data out. */
import { z } from 'zod'
import type { Issue } from '../protocol/errors.ts'

/**
 * Any zod 4 schema, seen only by the two types it carries. A generic constrained by this costs the compiler a fifth
 * less than one constrained by `z.ZodType`.
 */
export interface Schema {
  readonly _zod: { readonly input: unknown; readonly output: unknown }
}

/** What a schema takes: the JSON on the wire. */
export type Wire<S extends Schema> = S['_zod']['input']

/** What a handler sees: the value after parsing. */
export type Parsed<S extends Schema> = S['_zod']['output']

/** The result of running a schema: refused when there are issues. */
export interface Checked {
  readonly value: unknown
  readonly issues: readonly Issue[]
}

/** Runs one schema in one direction. A promise only when the schema has an async part. */
export type Check = (value: unknown) => Checked | Promise<Checked>

type Payload = z.core.ParsePayload
type Direction = 'forward' | 'backward'

/** A body of a megabyte can hold a third of a million mistakes. Nobody reads so many, and telling them takes seconds. */
const MOST_ISSUES = 1000

const isSimple = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.every(isSimple)
    : ['string', 'number', 'boolean', 'undefined'].includes(typeof value)

// The bound of a bigint, what a refinement adds: an issue may hold anything, and it goes over a wire.
const asJson = (issue: Issue): Issue => {
  if (Object.values(issue).every(isSimple)) return issue
  try {
    return JSON.parse(
      JSON.stringify(issue, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ) as Issue
  } catch {
    const { path, message } = issue
    return { path, message }
  }
}

/** Issues fit for a wire: JSON, and the first of very many. */
export const toIssues = <T>(issues: readonly T[], finalize: (issue: T) => Issue): Issue[] => {
  const told = issues.slice(0, MOST_ISSUES).map((issue) => asJson(finalize(issue)))
  const more = issues.length - told.length
  return more > 0 ? [...told, { code: 'custom', path: [], message: `and ${more} more issues` }] : told
}

const finish = (payload: Payload): Checked => {
  if (payload.issues.length === 0) return payload as Checked
  const config = z.core.config()
  const finalize = (issue: z.core.$ZodRawIssue): Issue =>
    z.core.util.finalizeIssue(issue, undefined, config) as unknown as Issue
  return { value: undefined, issues: toIssues(payload.issues, finalize) }
}

const isAsyncRefusal = (error: unknown): boolean => error instanceof z.core.$ZodAsyncError

// Both are made anew for each run: zod keeps what one parse has seen on its context, and a schema may replace its own
// `run` when it first runs. Holding on to either would carry one caller's values over to the next.
const run = (schema: z.core.$ZodType, value: unknown, direction: Direction, async: boolean) =>
  schema._zod.run({ value, issues: [] }, direction === 'forward' ? { async } : { async, direction })

const runAsync = async (schema: z.core.$ZodType, value: unknown, direction: Direction): Promise<Checked> =>
  finish(await run(schema, value, direction, true))

/**
 * Compiles a schema into a check. Zod's fast path exists only for synchronous runs, so every schema starts there; one
 * that turns out to have an async part is run asynchronously from then on.
 */
const compile = (schema: z.core.$ZodType, direction: Direction): Check => {
  let isAsync = false
  return (value) => {
    if (isAsync) return runAsync(schema, value, direction)
    try {
      const payload = run(schema, value, direction, false)
      if (!(payload instanceof Promise)) return finish(payload)
    } catch (error) {
      if (!isAsyncRefusal(error)) throw error
    }
    isAsync = true
    return runAsync(schema, value, direction)
  }
}

/** Wire value → handler value. */
export const compileParse = (schema: z.core.$ZodType): Check => compile(schema, 'forward')

/** Handler value → wire value: codecs run backwards, unknown keys are stripped, refinements hold. */
export const compileEncode = (schema: z.core.$ZodType): Check => compile(schema, 'backward')
