/** A task as a row and back. What is filtered, ordered or compared has a column; the rest is JSON. */
import { createHash } from 'node:crypto'
import type { TaskStatus } from '../../../protocol/task.ts'
import type { StoredTask } from '../../stored-task.ts'
import { NotJson } from '../../stores/record-codec.ts'
import type { Row } from './database.ts'
import { fromText, toText } from './text.ts'
import { toMs } from './times.ts'

/** The fields that never change and nobody looks for. */
type Spec = Pick<StoredTask, 'input' | 'carried' | 'trace' | 'idempotencyKey' | 'inputDigest' | 'tags'>

/** The fields that change and nobody looks for. */
type State = Pick<StoredTask, 'maxAttempts' | 'attempts' | 'startedAt' | 'finishedAt' | 'result' | 'error'>

/** A row of `task` as Postgres writes it in JSON. */
interface TaskRow {
  readonly id: string
  readonly procedure: string
  readonly owner: string | null
  readonly priority: number
  readonly created_at: string
  readonly spec: Spec
  readonly status: TaskStatus
  readonly run_at: string | null
  readonly deadline_at: string | null
  readonly expires_at: string | null
  readonly cancel_requested: boolean
  readonly attempt: number
  readonly lease: string | null
  readonly revision: number
  readonly progress: readonly [unknown] | null
  readonly state: State
}

/** @throws NotJson */
export const toJson = (value: unknown): string => {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new NotJson(`A task record holds a value that JSON can't: ${(cause as Error).message}`, { cause })
  }
}

export const specOf = ({ input, carried, trace, idempotencyKey, inputDigest, tags }: StoredTask): string =>
  toJson({ input, carried, trace, idempotencyKey, inputDigest, tags })

export const stateOf = ({
  maxAttempts,
  attempts,
  startedAt,
  finishedAt,
  result,
  error,
}: StoredTask): string => toJson({ maxAttempts, attempts, startedAt, finishedAt, result, error })

/** Wrapped, for the latest progress may be null. */
export const progressOf = (progress: unknown): string | null =>
  progress === undefined ? null : toJson([progress])

/** Of all tasks of an owner and a procedure with one idempotency key, one is there. */
export const keyOf = ({ owner, procedure, idempotencyKey }: StoredTask): string | null =>
  idempotencyKey === undefined
    ? null
    : createHash('sha256')
        .update(JSON.stringify([owner, procedure, idempotencyKey]))
        .digest('base64url')

export const ownerOf = ({ owner }: Pick<StoredTask, 'owner'>): string | null =>
  owner === null ? null : toText(owner)

const given = <K extends string, V>(key: K, value: V | null | undefined): { [key in K]?: V } =>
  value === null || value === undefined ? {} : ({ [key]: value } as { [key in K]?: V })

const time = (text: string | null): number | undefined => (text === null ? undefined : toMs(text))

const toTask = (row: TaskRow): StoredTask => ({
  id: row.id,
  procedure: fromText(row.procedure),
  owner: row.owner === null ? null : fromText(row.owner),
  priority: row.priority,
  createdAt: toMs(row.created_at),
  ...row.spec,
  input: row.spec.input,
  status: row.status,
  attempt: row.attempt,
  revision: row.revision,
  ...row.state,
  ...given('runAt', time(row.run_at)),
  ...given('deadlineAt', time(row.deadline_at)),
  ...given('expiresAt', time(row.expires_at)),
  ...(row.progress ? { progress: row.progress[0] } : {}),
  ...(row.cancel_requested ? { cancelRequested: true } : {}),
})

/** A task, and who holds it. */
export interface Held {
  readonly task: StoredTask
  /** Null while nobody does. */
  readonly lease: string | null
}

/** The task in a row's column `task`. */
export const readHeld = ({ task }: Row): Held => {
  const row = JSON.parse(task as string) as TaskRow
  return { task: toTask(row), lease: row.lease }
}

export const readTask = (row: Row): StoredTask => readHeld(row).task

/** The database's time, in whole ms, in a row's column `now`. */
export const readNow = ({ now }: Row): number => Math.floor(Number(now))
