/** What the engine holds in memory of each task. */
import { isFinished, type TaskStatus } from '../../protocol/task.ts'
import type { StoredTask } from '../stored-task.ts'
import type { Alarm } from './alarms.ts'
import type { ActiveClaim } from './claim.ts'
import type { HeapNode } from './heap.ts'

/** A known task. Kept small: there is one for each record in the store. */
export interface Entry {
  readonly id: string
  readonly procedure: string
  readonly owner: string | null
  readonly createdAt: number
  readonly tags?: readonly string[]
  readonly idempotencyKey?: string
  readonly inputDigest?: string
  status: TaskStatus
  /** Of an ended task: from then on it is treated as gone. */
  expiresAt: number
  /** Set until the task has ended; the record of an ended one is read from the store. */
  live: Live | undefined
  /** Set while a change is being made; resolves after it. */
  busy: Promise<void> | undefined
}

/** The moving parts of a task that has not ended. */
export interface Live {
  /** As last written; with the progress since. */
  task: StoredTask
  /** Its place in the queue. */
  ready: HeapNode<Entry> | undefined
  /** The next time something is due: its `runAt` or its deadline. */
  alarm: Alarm<Entry> | undefined
  /** The attempt that runs. */
  claim: ActiveClaim | undefined
}

const names = new Map<string, string>()

/** One string for all records that name the same procedure: parsed ones each have their own. */
const shared = (name: string): string => {
  const known = names.get(name)
  if (known === undefined) names.set(name, name)
  return known ?? name
}

/** An entry for a task as it is. */
export const toEntry = (task: StoredTask): Entry => ({
  id: task.id,
  procedure: shared(task.procedure),
  owner: task.owner,
  createdAt: task.createdAt,
  ...(task.tags ? { tags: task.tags } : {}),
  ...(task.idempotencyKey === undefined ? {} : { idempotencyKey: task.idempotencyKey }),
  ...(task.inputDigest === undefined ? {} : { inputDigest: task.inputDigest }),
  status: task.status,
  expiresAt: task.expiresAt ?? Infinity,
  live: isFinished(task.status) ? undefined : toLive(task),
  busy: undefined,
})

/** The moving parts of a task that begins, or begins again. */
export const toLive = (task: StoredTask): Live => ({
  task,
  ready: undefined,
  alarm: undefined,
  claim: undefined,
})

/** Makes changes of one task one after the other. */
export const inTurn = <T>(entry: Entry, change: () => Promise<T>): Promise<T> => {
  const turn = entry.busy ? entry.busy.then(change) : change()
  const leave = (): void => {
    if (entry.busy === over) entry.busy = undefined
  }
  const over: Promise<void> = turn.then(leave, leave)
  entry.busy = over
  return turn
}
