/**
 * Spans of tasks: of a start, of each wait in the queue, of each attempt, and of the whole run once it has ended. All but
 * the start are children of the start, by the traceparent in the record: on whichever host they are made.
 */
import type { TaskMiddleware } from '../procedures/task-middleware.ts'
import type { Happening } from '../tasks/changes.ts'
import type { Outcome } from '../tasks/executor.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import { UNTRACED, type TaskTracing } from '../tasks/tracing.ts'
import { openSpan, within, type SpanFailure } from './opentelemetry.ts'

const attributesOf = (procedure: string, id: string) => ({
  'errand.procedure': procedure,
  'errand.task.id': id,
})

const failureOf = (outcome: Outcome): SpanFailure | undefined => {
  if (outcome.kind === 'lost') return { code: 'WORKER_LOST', message: 'The worker that ran the task died' }
  return outcome.kind === 'error' ? outcome.error : undefined
}

const failed = (thrown: unknown): SpanFailure => ({ code: 'start', message: String(thrown) })

/** Spans of starts and attempts. */
export const TASK_TRACING: TaskTracing = {
  start: async ({ id, procedure }, parent, work) => {
    const attributes = attributesOf(procedure, id)
    const span = openSpan(`start ${procedure}`, { kind: 'producer', parent, joins: true, attributes })
    if (!span) return work(parent)
    try {
      const done = await span.run(() => work(span.trace))
      span.end()
      return done
    } catch (thrown) {
      span.end(failed(thrown))
      throw thrown
    }
  },
  attempt: (task) => {
    const { id, procedure, attempt, trace } = task
    const attributes = { ...attributesOf(procedure, id), 'errand.attempt': attempt }
    const span = openSpan(`attempt ${procedure}`, { kind: 'consumer', parent: trace, attributes })
    if (!span) return UNTRACED.attempt(task)
    return { trace: span.trace, ended: (outcome) => span.end(failureOf(outcome)) }
  },
}

/** A span of what is over. */
const past = (name: string, task: StoredTask, from: number, to: number, failure?: SpanFailure): void => {
  const { id, procedure, attempt, trace: parent } = task
  const attributes = { ...attributesOf(procedure, id), 'errand.attempt': attempt }
  const startTime = Math.trunc(from)
  openSpan(`${name} ${procedure}`, { kind: 'internal', parent, attributes, startTime })?.end(
    failure,
    Math.max(startTime, Math.trunc(to)),
  )
}

const waited = (task: StoredTask): void => {
  const [before, now] = [task.attempts.at(-2), task.attempts.at(-1)]
  if (now) past('wait', task, before?.finishedAt ?? task.createdAt, now.startedAt)
}

const ran = (task: StoredTask): void => {
  const { startedAt, finishedAt, error } = task
  if (startedAt !== undefined && finishedAt !== undefined) past('run', task, startedAt, finishedAt, error)
}

const SPANS: Partial<Record<Happening['name'], (task: StoredTask) => void>> = {
  started: waited,
  succeeded: ran,
  failed: ran,
  cancelled: ran,
}

/** Spans of what is known once it is over. */
export const traceHappening = ({ name, task }: Happening): void => SPANS[name]?.(task)

/** Lets spans that a handler makes, in whichever worker, be children of its attempt. */
export const traceAttempt: TaskMiddleware = ({ trace, next }) => within(trace, next)
