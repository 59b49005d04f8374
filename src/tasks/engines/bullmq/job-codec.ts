/**
 * What BullMQ keeps of a job, and back: JSON in the fields that it offers.
 *
 * Redis keeps a JSON text as it is. Postgres keeps `jsonb`, which sorts keys, has no room for `\u0000` and refuses half
 * a surrogate pair: there a user's own values are JSON texts inside of it, so that what comes out is what went in.
 */
import { NotJson } from '../../stores/record-codec.ts'
import {
  FORMAT,
  type Job,
  type JobData,
  type JobEnding,
  type JobHistory,
  type JobProgressNote,
} from './job.ts'

/** A job as it comes from BullMQ, its JSON parsed. */
export interface RawJob {
  readonly id: string
  readonly data: unknown
  readonly progress: unknown
  readonly returnvalue: unknown
  /** Lines, which dashboards show. */
  readonly stacktrace: unknown
  readonly failedReason: string | undefined
  readonly attemptsStarted: number
  readonly stalledCounter: number
  readonly processedOn: number | undefined
  readonly finishedOn: number | undefined
}

/** How values of users are kept. */
export type Packing = 'value' | 'text'

/** Writes for one kind of server; reads what either kind wrote. */
export class JobCodec {
  readonly #packing: Packing

  constructor(packing: Packing) {
    this.#packing = packing
  }

  data({ head, past, ...data }: JobData): object {
    return { ...data, head: this.#pack(head), ...(past ? { past: this.#pack(past) } : {}) }
  }

  progress({ value, ...note }: JobProgressNote): object {
    return { ...note, value: this.#pack({ value }) }
  }

  /** @throws NotJson */
  ending({ task, ...ending }: JobEnding): object {
    const { status, expiresAt } = task
    return { status, expiresAt, ...ending, task: this.#pack(task) }
  }

  history({ attempts, ...counts }: JobHistory): string[] {
    return [...attempts, counts].map((line) => JSON.stringify(line))
  }

  /** @throws NotJson */
  #pack(value: object): unknown {
    const text = toJson(value)
    return this.#packing === 'text' ? text : value
  }
}

/**
 * A job of one of our queues, or undefined for one that Errand did not put there.
 * @throws Error for one that a newer Errand wrote
 */
export const toJob = (procedure: string, raw: RawJob): Job | undefined => {
  const data = raw.data as { v?: unknown; head: unknown; past?: unknown } | null
  if (typeof data !== 'object' || data === null || typeof data.v !== 'number') return undefined
  if (data.v > FORMAT) throw newerFormat(raw.id, data.v)
  const { past, ...rest } = data
  return {
    id: raw.id,
    procedure,
    data: {
      ...rest,
      head: unpack(data.head),
      ...(past === undefined ? {} : { past: unpack(past) }),
    } as JobData,
    claims: raw.attemptsStarted,
    stalls: raw.stalledCounter,
    claimedAt: raw.processedOn,
    history: toHistory(raw.stacktrace),
    progress: toProgress(raw.progress),
    ending: raw.finishedOn === undefined ? undefined : endingOf(raw, raw.finishedOn),
  }
}

const unpack = <T>(packed: T): T => (typeof packed === 'string' ? (JSON.parse(packed) as T) : packed)

const toHistory = (lines: unknown): JobHistory | undefined => {
  if (!Array.isArray(lines) || lines.length === 0) return undefined
  try {
    const parsed = lines.map((line) => JSON.parse(String(line)) as unknown)
    const counts = parsed.pop() as Omit<JobHistory, 'attempts'>
    return typeof counts.left === 'number'
      ? { ...counts, attempts: parsed as JobHistory['attempts'] }
      : undefined
  } catch {
    return undefined // Somebody else's words: BullMQ keeps stack traces here.
  }
}

/** Undefined for what is no note of ours. */
export const toProgress = (note: unknown): JobProgressNote | undefined => {
  if (typeof note !== 'object' || note === null || !('claim' in note)) return undefined
  const { value, ...counts } = note as JobProgressNote
  return { ...counts, value: (unpack(value) as { value: unknown }).value }
}

/** Undefined for what is no ending of ours. */
export const toEnding = (returnvalue: unknown): JobEnding | undefined => {
  const ending = returnvalue as JobEnding | null
  if (typeof ending !== 'object' || ending === null || ending.v !== FORMAT) return undefined
  return { ...ending, task: unpack(ending.task) }
}

const endingOf = ({ returnvalue, failedReason }: RawJob, finishedOn: number): Job['ending'] =>
  toEnding(returnvalue) ?? {
    failedAt: finishedOn,
    reason: failedReason ?? 'It was ended by something other than Errand',
  }

const toJson = (value: object): string => {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new NotJson(`A task record holds a value that JSON can't: ${(cause as Error).message}`, { cause })
  }
}

const newerFormat = (id: string, found: number): Error =>
  new Error(
    `Task ${id} was written by a newer Errand: its job has format ${found}, and this version reads ${FORMAT}. ` +
      'It is left as it is. Deploy the newer version everywhere',
  )
