/**
 * Task records as text: JSON, with the version of the format, never an exception for a text that can't be
 * read.
 */
import { NEXT_STATUS } from '../lifecycle.ts'
import type { StoredTask } from '../stored-task.ts'

/** What Keyv wraps around a value. */
interface Envelope {
  readonly value?: unknown
  readonly expires?: number | undefined
}

/** Raised when an older Errand could not read what this one writes. */
const FORMAT = 1

/** A text that is no record. Thrown away nowhere: whoever meets one sets it aside. */
export class Unreadable {
  readonly text: string
  readonly reason: string
  constructor(text: string, reason: string) {
    this.text = text
    this.reason = reason
  }
}

/** A value that JSON can't hold. Another try would not help, so it is told from a store that fails. */
export class NotJson extends TypeError {
  override readonly name = 'NotJson'
}

/**
 * An envelope as text, for Keyv's `serialize`.
 * Keyv's own serialiser escapes strings that begin with a colon and takes several times as long.
 */
export const encodeEnvelope = ({ value, expires }: Envelope): string => {
  const head = expires === undefined ? `{"v":${FORMAT}` : `{"v":${FORMAT},"expires":${expires}`
  return `${head},"value":${toJson(value)}}`
}

const toJson = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch (cause) {
    throw new NotJson(`A task record holds a value that JSON can't: ${(cause as Error).message}`, { cause })
  }
}

/**
 * A text as an envelope, for Keyv's `deserialize`. Its value is `Unreadable` when it isn't one.
 * @throws Error when a newer Errand wrote it: that is no damage, and to set it aside would be one
 */
export const decodeEnvelope = (text: string): Envelope => {
  const parsed = parse(text)
  if (!isObject(parsed)) return { value: new Unreadable(text, 'it is no JSON object') }
  if (Number(parsed['v']) > FORMAT) throw newerFormat(parsed['v'])
  if (parsed['v'] !== FORMAT)
    return { value: new Unreadable(text, `its format is ${String(parsed['v'])}, expected ${FORMAT}`) }
  return parsed
}

const newerFormat = (found: unknown): Error =>
  new Error(
    `The task store was written by a newer Errand: its records have format ${String(found)}, and this version ` +
      `reads ${FORMAT}. Nothing was changed. Run the newer version, or give this one another store.`,
  )

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** A decoded value as a task, or what is wrong with it. */
export const toTask = (value: unknown, id: string): StoredTask | Unreadable => {
  if (value instanceof Unreadable) return value
  // `hasShape` checks what the engine acts on; the rest is only handed on.
  return hasShape(value, id) ? (value as unknown as StoredTask) : unreadable(value, 'it is no task record')
}

const hasShape = (value: unknown, id: string): value is Record<string, unknown> =>
  isObject(value) &&
  value['id'] === id &&
  typeof value['procedure'] === 'string' &&
  Object.hasOwn(NEXT_STATUS, String(value['status'])) &&
  [value['attempt'], value['maxAttempts'], value['createdAt'], value['revision']].every(Number.isFinite) &&
  Array.isArray(value['attempts'])

const unreadable = (value: unknown, reason: string): Unreadable =>
  new Unreadable(JSON.stringify(value) ?? '', reason)
