/** What the operations on tasks share: parameters, headers, answers. */
import type { JsonSchema } from './json-schema.ts'
import type { Parameter, Reference, Response, ResponseHeader } from './operation-types.ts'

const PARAMETERS = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'A second start with it gets the task of the first, while that is kept. With another input: 422.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  TaskRunAt: {
    name: 'Task-Run-At',
    in: 'header',
    description: 'Not before this time.',
    schema: { type: 'string', format: 'date-time' },
  },
  TaskDelay: {
    name: 'Task-Delay',
    in: 'header',
    description: 'Not before so long from now: milliseconds, or a text like `10m`.',
    schema: { type: 'string' },
  },
  TaskPriority: {
    name: 'Task-Priority',
    in: 'header',
    description: 'Higher runs first.',
    schema: { type: 'integer', minimum: -100, maximum: 100 },
  },
  TaskTags: {
    name: 'Task-Tags',
    in: 'header',
    description: 'To find it by, separated by commas.',
    schema: { type: 'string' },
  },
  RetryKey: {
    name: 'retryKey',
    in: 'query',
    description:
      'Made up by a client for one start, which it may then make again when the answer was lost. Yields to any idempotency key.',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
  TaskId: { name: 'taskId', in: 'path', required: true, schema: { type: 'string' } },
  TaskWait: {
    name: 'wait',
    in: 'query',
    description: 'Seconds to hold the answer until the task ends or, with `If-None-Match`, changes.',
    schema: { type: 'number', minimum: 0, maximum: 30 },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'The `ETag` you know: 304 while it is still that.',
    schema: { type: 'string' },
  },
  LastEventId: {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'Go on after this event. After the last one: 204.',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, Parameter>

/** Name of a shared parameter. */
export type TaskParameter = keyof typeof PARAMETERS

/** Points to shared parameters. */
export const sharedParameters = (...names: readonly TaskParameter[]): Reference[] =>
  names.map((name) => ({ $ref: `#/components/parameters/${name}` }))

/** The shared parameters, by name. */
export const taskParameters = (): Record<string, Parameter> => structuredClone(PARAMETERS)

/** What a start takes beside its input. */
export const START_PARAMETERS: readonly TaskParameter[] = [
  'IdempotencyKey',
  'TaskRunAt',
  'TaskDelay',
  'TaskPriority',
  'TaskTags',
  'RetryKey',
]

const header = (description: string, type = 'string'): ResponseHeader => ({ description, schema: { type } })

const retryAfter = (): ResponseHeader =>
  header('Seconds until asking again makes sense; absent once it has ended.', 'integer')

const json = (
  description: string,
  schema: JsonSchema,
  headers?: Record<string, ResponseHeader>,
): Response => ({
  description,
  ...(headers ? { headers } : {}),
  content: { 'application/json': { schema } },
})

/** A record, as it is now. */
export const recordResponse = (description: string, record: JsonSchema): Response =>
  json(description, record, { ETag: header('Differs after every change.'), 'Retry-After': retryAfter() })

/** A record of a task that was taken on. */
export const acceptedResponse = (description: string, record: JsonSchema): Response =>
  json(description, record, { Location: header('Where the task is read.'), 'Retry-After': retryAfter() })

/** A record, after something was asked of it. */
export const doneResponse = json

/** A response without a body. */
export const emptyResponse = (description: string): Response => ({ description })

/** Headers of a waiting call's answer. */
export const ranHeaders = (): Record<string, ResponseHeader> => ({
  'Content-Location': header('Where the task is read.'),
  'Idempotency-Replayed': header('`true` when the key had been used before.'),
})

/** What the events of a task are called. */
export const EVENTS =
  '`state` and `done` carry the record, `progress` what the handler reported, `log` a line it logged, ' +
  '`gap` null: earlier events are no longer kept. `done` is the last.'
