/** One line for each change of a task, and what its handler logs: in the app's log, with the task's own fields. */
import type { TaskLog } from '../protocol/task.ts'
import { traceIdOf } from '../protocol/trace-context.ts'
import type { Happening } from '../tasks/changes.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import { wants, type Logger } from './logger.ts'
import { withoutSecrets } from './secrets.ts'
import { ranFor, waitedFor } from './task-times.ts'

/** The fields that lines of a task have in common. */
export const taskFields = ({
  id,
  procedure,
  attempt,
  owner,
  trace,
}: StoredTask): Record<string, unknown> => ({
  taskId: id,
  procedure,
  attempt,
  ...(owner === null ? {} : { owner }),
  ...(trace === undefined ? {} : { traceId: traceIdOf(trace) }),
})

/** What a line tells besides the task's fields; no line for what has none. */
const LINES = {
  queued: ({ runAt }) => (runAt === undefined ? {} : { runAt: new Date(runAt).toISOString() }),
  started: (task) => ({ waited: waitedFor(task) }),
  progress: undefined,
  retrying: (task) => ({ ms: ranFor(task), code: task.attempts.at(-1)?.error?.code }),
  succeeded: (task) => ({ ms: ranFor(task) }),
  failed: (task) => ({ ms: ranFor(task), code: task.error?.code }),
  cancelled: (task) => ({ ms: ranFor(task) }),
} satisfies Record<Happening['name'], ((task: StoredTask) => object) | undefined>

const LEVELS = { retrying: 'warn', failed: 'warn' } as const

/** Writes the lines of changes; undefined when nobody reads them. */
export const createTaskLog = (logger: Logger): ((happening: Happening) => void) | undefined => {
  if (!wants(logger, 'warn')) return undefined
  const hasInfo = wants(logger, 'info')
  return ({ name, task }) => {
    const level = name === 'retrying' || name === 'failed' ? LEVELS[name] : 'info'
    const more = LINES[name]
    if (!more || (level === 'info' && !hasInfo)) return
    logger[level]({ ...taskFields(task), ...more(task) }, `task ${name}`)
  }
}

/** Writes what handlers log. A task's own fields are not theirs to change. */
export const createHandlerLog =
  (logger: Logger) =>
  (task: StoredTask, { level, message, fields = {} }: TaskLog): void => {
    if (wants(logger, level)) logger[level]?.({ ...withoutSecrets(fields), ...taskFields(task) }, message)
  }
