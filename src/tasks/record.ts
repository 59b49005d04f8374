/** The part of a stored task that callers see. */
import type { TaskAttempt, TaskErrorData, TaskLinks, TaskRecord } from '../protocol/task.ts'
import type { StoredAttempt, StoredError, StoredTask } from './stored-task.ts'

/** How records are shown. */
export interface RecordView {
  readonly links: (task: StoredTask) => TaskLinks
  /** Shows the words of errors not meant for callers: to admins, and in development. */
  readonly reveal: boolean
  /** Adds the input: for admins. */
  readonly input?: boolean
}

/** The opaque `rev` of a task: differs after every change, and is the same on every host. */
export const revOf = (task: StoredTask): string => String(task.revision)

let second = NaN
let untilSecond = ''

/** As `toISOString`, which takes several times as long: of times in one second only the end differs. */
const iso = (time: number): string => {
  const whole = Math.floor(time / 1000)
  if (whole !== second) untilSecond = new Date(whole * 1000).toISOString().slice(0, -'000Z'.length)
  second = whole
  return `${untilSecond}${String(Math.floor(time - whole * 1000)).padStart(3, '0')}Z`
}

const toError = ({ internal, ...error }: StoredError, reveal: boolean): TaskErrorData => {
  const {
    name: _name,
    declared: _declared,
    ...data
  } = error as StoredError & { name?: string; declared?: boolean }
  return reveal && internal ? { ...data, message: `${internal.name}: ${internal.message}` } : data
}

const toAttempt = ({ n, startedAt, finishedAt, error }: StoredAttempt, reveal: boolean): TaskAttempt => ({
  n,
  startedAt: iso(startedAt),
  ...(finishedAt === undefined ? {} : { finishedAt: iso(finishedAt) }),
  ...(error ? { error: toError(error, reveal) } : {}),
})

/** A stored task as a record. */
export const toRecord = (task: StoredTask, { links, reveal, input }: RecordView): TaskRecord => ({
  id: task.id,
  procedure: task.procedure,
  status: task.status,
  attempt: task.attempt,
  maxAttempts: task.maxAttempts,
  attempts: task.attempts.map((attempt) => toAttempt(attempt, reveal)),
  createdAt: iso(task.createdAt),
  ...(task.startedAt === undefined ? {} : { startedAt: iso(task.startedAt) }),
  ...(task.finishedAt === undefined ? {} : { finishedAt: iso(task.finishedAt) }),
  ...(task.runAt === undefined ? {} : { runAt: iso(task.runAt) }),
  ...(task.progress === undefined ? {} : { progress: task.progress }),
  ...(task.result === undefined ? {} : { result: task.result }),
  ...(task.error ? { error: toError(task.error, reveal) } : {}),
  ...(task.cancelRequested ? { cancelRequested: true } : {}),
  rev: revOf(task),
  ...(task.tags ? { tags: task.tags } : {}),
  links: links(task),
  ...(input ? { input: task.input } : {}),
})
