/** Task records and events in the document: once for any task, and typed for each procedure. */
import type { z } from 'zod'
import { toOperationId } from '../protocol/paths.ts'
import { isVoid, type Entry } from '../router/entries.ts'
import type { Component, Components } from './components.ts'
import type { JsonSchema } from './json-schema.ts'
import { capital } from './names.ts'
import { outputSchema } from './responses.ts'

const text = (description?: string): JsonSchema => ({
  type: 'string',
  ...(description ? { description } : {}),
})
const whole = (description: string): JsonSchema => ({ type: 'integer', description })
const time = (description?: string): JsonSchema => ({ ...text(description), format: 'date-time' })
const path = (): JsonSchema => ({ type: 'string', format: 'uri-reference' })

const closed = (
  description: string,
  properties: Record<string, JsonSchema>,
  optional: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  description,
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
})

const statusSchema = (): JsonSchema => ({
  type: 'string',
  enum: ['queued', 'running', 'succeeded', 'failed', 'cancelled'],
  description: '`queued` also covers a task that waits for a delay or a retry; see `runAt`.',
})

const failureSchema = (): JsonSchema =>
  closed(
    'Why a task, or one attempt at it, did not succeed.',
    {
      code: text('A declared code, a task code such as `TASK_TIMEOUT`, or a general one.'),
      status: whole('The HTTP status that a waiting call gets.'),
      message: text(),
      issues: { type: 'array', items: { type: 'object' } },
      data: {},
      retryAfter: { type: 'number', description: 'Seconds to wait before another try.' },
    },
    ['issues', 'data', 'retryAfter'],
  )

const attemptSchema = (failure: Component): JsonSchema =>
  closed(
    'One execution of a task.',
    { n: whole('Counts from 1.'), startedAt: time(), finishedAt: time(), error: failure.ref() },
    ['finishedAt', 'error'],
  )

const links = (byId: boolean): JsonSchema =>
  closed('Where to read about and act on the task.', {
    self: path(),
    ...(byId ? { result: path() } : {}),
    events: path(),
    cancel: path(),
  })

const taskSchema = (status: Component, attempt: Component, failure: Component, byId: boolean): JsonSchema =>
  closed(
    'A task. Times are ISO 8601 UTC.',
    {
      id: { type: 'string', format: 'uuid' },
      procedure: text('The dotted path of the procedure.'),
      status: status.ref(),
      attempt: whole('How many attempts have begun.'),
      maxAttempts: whole('How many attempts there may be.'),
      attempts: { type: 'array', items: attempt.ref() },
      createdAt: time(),
      startedAt: time(),
      finishedAt: time(),
      runAt: time('Not before this time: a delay, or a retry.'),
      progress: { description: 'What the handler reported last.' },
      result: { description: 'The output, once `succeeded`.' },
      error: failure.ref('Why it ended, once `failed` or `cancelled`.'),
      cancelRequested: { type: 'boolean', description: 'A cancel was asked for while it runs.' },
      rev: text('Opaque; differs after every change. Also the `ETag`.'),
      tags: { type: 'array', items: text() },
      links: links(byId),
      input: { description: 'For admins.' },
    },
    ['startedAt', 'finishedAt', 'runAt', 'progress', 'result', 'error', 'cancelRequested', 'tags', 'input'],
  )

const summarySchema = (status: Component): JsonSchema =>
  closed(
    'The short form of a task, for polling.',
    {
      id: { type: 'string', format: 'uuid' },
      status: status.ref(),
      attempt: whole('How many attempts have begun.'),
      progress: {},
      rev: text(),
    },
    ['progress'],
  )

const pageSchema = (task: Component): JsonSchema =>
  closed(
    'Tasks, newest first, without their results.',
    {
      items: { type: 'array', items: task.ref() },
      nextCursor: text('Gives the next page; absent on the last.'),
    },
    ['nextCursor'],
  )

const logSchema = (): JsonSchema =>
  closed(
    'A line the handler logged.',
    {
      level: { type: 'string', enum: ['debug', 'info', 'warn', 'error'] },
      message: text(),
      at: time(),
      fields: { type: 'object', additionalProperties: {} },
    },
    ['fields'],
  )

/** The schemas of tasks in one document. */
export class TaskSchemas {
  readonly #components: Components
  readonly #records = new Map<Entry, Component>()
  readonly #log: Component
  readonly #summary: Component
  readonly #page: Component
  readonly status: Component
  readonly task: Component

  /** @param byId whether there are routes for tasks of every procedure */
  constructor(components: Components, byId: boolean) {
    this.#components = components
    const define = (name: string, body: JsonSchema): Component =>
      components.define([name, `Errand${name}`], body)
    this.status = define('TaskStatus', statusSchema())
    const failure = define('TaskFailure', failureSchema())
    const attempt = define('TaskAttempt', attemptSchema(failure))
    this.task = define('Task', taskSchema(this.status, attempt, failure, byId))
    this.#log = define('TaskLog', logSchema())
    this.#summary = define('TaskSummary', summarySchema(this.status))
    this.#page = define('TaskPage', pageSchema(this.task))
  }

  get summary(): JsonSchema {
    return this.#summary.ref()
  }

  get page(): JsonSchema {
    return this.#page.ref()
  }

  /** The record of a procedure's tasks. */
  recordOf(entry: Entry): JsonSchema {
    const known = this.#records.get(entry) ?? this.#defineRecord(entry)
    this.#records.set(entry, known)
    return known.ref()
  }

  /**
   * The data of a task's events. What an undeclared progress holds is anybody's guess; with it the whole would
   * be too, so it is left to the description.
   */
  eventData(record: JsonSchema, progress?: z.core.$ZodType, operationId = ''): JsonSchema {
    const reported = progress ? [this.#components.schema(progress, 'output', operationId)] : []
    return { anyOf: [record, ...reported, this.#log.ref(), { type: 'null' }] }
  }

  #defineRecord(entry: Entry): Component {
    const { output, progress } = entry.definition
    const name = `${capital(toOperationId(entry.path))}Task`
    const owner = toOperationId(entry.path)
    return this.#components.define([name, `${name}Record`], {
      description: `A task of \`${entry.path}\`.`,
      allOf: [
        this.task.ref(),
        {
          type: 'object',
          properties: {
            procedure: { type: 'string', const: entry.path },
            ...(progress
              ? { progress: this.#components.schema(progress, 'output', `${owner}Progress`) }
              : {}),
            ...(isVoid(output) ? {} : { result: outputSchema(entry, this.#components, owner) }),
          },
          required: ['procedure'],
        },
      ],
    })
  }
}
