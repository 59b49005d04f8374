/** Reads the options of a start, whoever gave them: a client, a header, a handler. */
import { createHash } from 'node:crypto'
import { toMilliseconds, type Duration } from '../protocol/duration.ts'
import type { Issue } from '../protocol/errors.ts'
import { ProcedureError, errorWithoutStack } from '../procedures/errors.ts'
import { invalidInput } from '../procedures/call.ts'
import type { RepeatableStart, StartOptions } from '../procedures/procedure.ts'

/** Options of a start, checked, with times as epoch ms. */
export interface ReadyStart {
  readonly idempotencyKey?: string
  readonly retryKey?: string
  readonly runAt?: number
  readonly priority?: number
  readonly tags?: readonly string[]
}

const KEY_LENGTH = 255
const TAG_COUNT = 20
const TAG_LENGTH = 100

const refuse = (name: string, expected: string): never => {
  const issue: Issue = { code: 'custom', path: [name], message: `expected ${expected}` }
  throw errorWithoutStack(invalidInput([issue]))
}

/** The last moment a Date can hold (ECMA-262 §21.4.1.1), and a day to spare for what is added to it. */
const LAST = 8.64e15 - 864e5

const isKey = (key: string | undefined): boolean =>
  key === undefined || (key.length > 0 && key.length <= KEY_LENGTH)

const readTime = (text: string): number => {
  const time = Date.parse(text)
  return Number.isNaN(time) || time > LAST ? refuse('runAt', 'an ISO 8601 date and time') : time
}

const readDelay = (delay: number | string): number => {
  try {
    return toMilliseconds(delay as Duration)
  } catch {
    return refuse('delay', "milliseconds or a text like '10m'")
  }
}

const readRunAt = ({ runAt, delay }: StartOptions, now: number): number | undefined => {
  if (runAt !== undefined && delay !== undefined) refuse('delay', 'either runAt or delay, not both')
  if (runAt !== undefined) return readTime(runAt)
  if (delay === undefined) return undefined
  const time = now + readDelay(delay)
  return time > LAST ? refuse('delay', 'a time that a calendar has') : time
}

const isPriority = (priority: number): boolean => Number.isInteger(priority) && Math.abs(priority) <= 100

const areTags = (tags: readonly unknown[]): boolean =>
  Array.isArray(tags) &&
  tags.length <= TAG_COUNT &&
  tags.every((tag) => typeof tag === 'string' && tag.length > 0 && tag.length <= TAG_LENGTH)

/**
 * Checks options.
 * @throws ProcedureError BAD_REQUEST that names the option
 */
export const readStartOptions = (options: RepeatableStart, now: number): ReadyStart => {
  const { idempotencyKey, retryKey, priority, tags } = options
  if (!isKey(idempotencyKey)) refuse('idempotencyKey', `1 to ${KEY_LENGTH} characters`)
  if (!isKey(retryKey)) refuse('retryKey', `1 to ${KEY_LENGTH} characters`)
  if (priority !== undefined && !isPriority(priority)) refuse('priority', 'a whole number from -100 to 100')
  if (tags !== undefined && !areTags(tags))
    refuse('tags', `at most ${TAG_COUNT} texts of 1 to ${TAG_LENGTH} characters`)
  const runAt = readRunAt(options, now)
  return {
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(retryKey === undefined ? {} : { retryKey }),
    ...(runAt === undefined ? {} : { runAt }),
    ...(priority === undefined ? {} : { priority }),
    ...(tags === undefined ? {} : { tags }),
  }
}

const canonical = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(canonical)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, item]) => [key, canonical(item)])
}

/** Digest of an input: equal for equal JSON, whatever the order of keys. */
export const digest = (input: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical(input)) ?? '')
    .digest('base64url')

/** The refusal of a key that already stands for another input (draft-ietf-httpapi-idempotency-key-header §2.7). */
export const keyReused = (): ProcedureError =>
  new ProcedureError(
    'UNPROCESSABLE_CONTENT',
    'This idempotency key was used with another input: use a new key for a new task',
  )
