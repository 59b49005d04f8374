/** A new task as a job. */
import type { StoredTask } from '../../stored-task.ts'
import { FORMAT, type JobData } from './job.ts'

/** Higher first for callers, lower first for BullMQ, whose 0 is another queue that comes before all of these. */
const priorityOf = ({ priority }: StoredTask): number => 101 - priority

export const dataOf = (task: StoredTask, keep: number): JobData => {
  const { input, owner, carried, trace, tags, idempotencyKey, inputDigest } = task
  const { createdAt, priority, maxAttempts, runAt, deadlineAt } = task
  return {
    v: FORMAT,
    head: {
      input,
      owner,
      ...(carried === undefined ? {} : { carried }),
      ...(trace === undefined ? {} : { trace }),
      ...(tags === undefined ? {} : { tags }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(inputDigest === undefined ? {} : { inputDigest }),
    },
    createdAt,
    priority,
    maxAttempts,
    ...(runAt === undefined ? {} : { runAt }),
    ...(deadlineAt === undefined ? {} : { deadlineAt }),
    keep,
  }
}

/** When it is taken at the latest: at its deadline it is taken to be ended. */
export const scheduleOf = (task: StoredTask): { priority: number; delay: number; timestamp: number } => {
  const timestamp = Date.now()
  const dueAt = Math.min(task.runAt ?? 0, task.deadlineAt ?? Infinity)
  return { priority: priorityOf(task), delay: Math.max(0, Math.ceil(dueAt - timestamp)), timestamp }
}
