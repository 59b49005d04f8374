/** Everything that is told of an app's calls and tasks, put together: its log, and whoever listens. */
import type { Failure } from '../procedures/failure.ts'
import type { TaskLog, TaskRecord } from '../protocol/task.ts'
import type { HttpRequest } from '../router/http.ts'
import type { Happening } from '../tasks/changes.ts'
import type { OutcomeError } from '../tasks/executor.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import { attemptFailed, callFailed } from './failure-log.ts'
import { isLogger, toLogger, type Logger, type LogOptions } from './logger.ts'
import type { BaseProfile } from '../config/profiles.ts'
import { createRequestLog, type Answered } from './request-log.ts'
import { createTaskListeners, type TaskListeners } from './task-listeners.ts'
import { traceHappening } from './task-tracing.ts'
import { createHandlerLog, createTaskLog } from './task-log.ts'

/** What an app says of it. */
export interface ObserverParts {
  readonly option: Logger | LogOptions | false | undefined
  readonly profile: BaseProfile
  readonly on: TaskListeners | undefined
  readonly ownerOf: ((ctx: unknown) => string | null) | undefined
  /** Counts what happens to tasks. Never throws. */
  readonly counted: (happening: Happening) => void
}

/** Told of what happens to tasks. Nothing of it throws. */
export interface TaskObserver {
  readonly told: (happening: Happening) => void
  /** A handler logs. */
  readonly logged: (task: StoredTask, log: TaskLog) => void
  readonly failed: (failure: OutcomeError, task: StoredTask) => void
}

/** What watches an app. */
export interface Observer {
  readonly logger: Logger
  /** Told of every answer. */
  readonly answered: readonly Answered[]
  readonly callFailed: (failure: Failure, path: string, request: HttpRequest | undefined) => void
  /** `record` makes what listeners see of a task. */
  readonly ofTasks: (record: (task: StoredTask) => TaskRecord) => TaskObserver
}

/** In tests the log has what went wrong, and the rest only for those who ask for it. */
const isQuiet = ({ option, profile }: ObserverParts): boolean =>
  profile === 'test' && (!option || isLogger(option) || option.level === undefined)

/** A log that fails must fail nothing else. */
const guarded =
  <T extends readonly unknown[]>(write: (...told: T) => void) =>
  (...told: T): void => {
    try {
      write(...told)
    } catch (error) {
      // oxlint-disable-next-line no-console -- there is nobody else left to tell
      console.error('The logger threw', error)
    }
  }

const threw =
  (logger: Logger) =>
  (event: string, { id }: StoredTask, thrown: unknown): void =>
    logger.error({ err: thrown, taskId: id }, `A listener of ${event} threw (task ${id})`)

/** Puts it together. */
export const createObserver = (parts: ObserverParts): Observer => {
  const { option, profile, on = {}, ownerOf, counted } = parts
  const logger = toLogger(option, profile)
  const isSilent = isQuiet(parts)
  const requestLog = isSilent ? undefined : createRequestLog({ logger, ownerOf })
  const taskLog = isSilent ? undefined : createTaskLog(logger)
  return {
    logger,
    answered: requestLog ? [guarded(requestLog)] : [],
    callFailed: callFailed(logger),
    ofTasks: (record) => {
      const watchers = [
        traceHappening,
        counted,
        ...(taskLog ? [guarded(taskLog)] : []),
        createTaskListeners({ on, record, threw: guarded(threw(logger)) }),
      ]
      return {
        told: (happening) => watchers.forEach((told) => told(happening)),
        logged: isSilent ? () => undefined : guarded(createHandlerLog(logger)),
        failed: attemptFailed(logger),
      }
    },
  }
}
