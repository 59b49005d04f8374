/** The operations on tasks of every procedure, by id. */
import type { JsonSchema } from './json-schema.ts'
import type { Draft } from './operation.ts'
import type { Operation, Parameter, Responses } from './operation-types.ts'
import { eventStream } from './responses.ts'
import {
  acceptedResponse,
  doneResponse,
  emptyResponse,
  EVENTS,
  recordResponse,
  sharedParameters,
} from './task-parts.ts'
import type { TaskSchemas } from './task-schemas.ts'

/** The tag of the operations on tasks of every procedure. */
export const TASKS_TAG = { name: 'tasks', description: 'Tasks of every procedure, by id.' } as const

const query = (name: string, description: string, schema: JsonSchema): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
})

const filters = (status: JsonSchema): Parameter[] => [
  query('procedure', 'Dotted path of a procedure.', { type: 'string' }),
  query('status', 'Tasks in this status.', status),
  query('tag', 'Tasks with this tag.', { type: 'string' }),
  query('limit', 'How many.', { type: 'integer', minimum: 1, maximum: 200, default: 50 }),
  query('cursor', '`nextCursor` of the page before.', { type: 'string' }),
]

type Rest = Pick<Operation, 'operationId' | 'summary' | 'x-kind' | 'responses'> & Partial<Operation>

/** Who a caller is decides what he sees, and a stranger may see what is nobody's. */
const optionalSecurity = ({ schemes }: Draft): Pick<Operation, 'security'> => {
  const names = Object.keys(schemes)
  return names.length === 0 ? {} : { security: [...names.map((name) => ({ [name]: [] })), {}] }
}

/** All of them, below `root`. */
export const genericTaskOperations = (root: string, draft: Draft, tasks: TaskSchemas): Operation[] => {
  const { problems } = draft
  const security = optionalSecurity(draft)
  const unknown = { 404: problems.plain('No such task, or not yours.') }
  const failed: Responses = { default: { $ref: '#/components/responses/Problem' } }
  const live = { 409: problems.plain('Not while it runs or waits to.') }
  const byId = (method: Operation['method'], below: string, rest: Rest): Operation => ({
    method,
    path: `${root}/{taskId}${below}`,
    tags: [TASKS_TAG.name],
    ...security,
    ...rest,
    parameters: [...sharedParameters('TaskId'), ...(rest.parameters ?? [])],
    responses: { ...unknown, ...failed, ...rest.responses },
  })
  const task = (): JsonSchema => tasks.task.ref()
  return [
    {
      method: 'get',
      path: root,
      operationId: 'listTasks',
      summary: 'List tasks',
      tags: [TASKS_TAG.name],
      ...security,
      'x-kind': 'query',
      parameters: filters(tasks.status.ref()),
      responses: { 200: doneResponse('A page of tasks.', tasks.page), ...failed },
    },
    byId('get', '', {
      operationId: 'getTask',
      summary: 'The record of a task',
      'x-kind': 'query',
      parameters: sharedParameters('TaskWait', 'IfNoneMatch'),
      responses: { 200: recordResponse('The task.', task()), 304: emptyResponse('As you know it.') },
    }),
    byId('get', '/status', {
      operationId: 'getTaskStatus',
      summary: 'The status of a task',
      'x-kind': 'query',
      responses: { 200: recordResponse('Its status.', tasks.summary) },
    }),
    byId('get', '/result', {
      operationId: 'getTaskResult',
      summary: 'The result of a task',
      'x-kind': 'query',
      description: 'Exactly what a waiting call is sent: the output, or its problem with that status.',
      parameters: sharedParameters('TaskWait'),
      responses: {
        200: doneResponse('The output.', {}),
        202: acceptedResponse('Not ended yet.', task()),
        204: emptyResponse('It succeeded; there is nothing to return.'),
        409: problems.plain('It was cancelled.'),
        default: problems.plain('Why it did not succeed, or any other failure.'),
      },
    }),
    byId('get', '/events', {
      operationId: 'watchTask',
      summary: 'Watch a task',
      'x-kind': 'subscription',
      description: `Everything that happens to the task, until it ends.\n\n${EVENTS}`,
      parameters: sharedParameters('LastEventId'),
      responses: { 200: eventStream('The events.', { schema: tasks.eventData(task()) }) },
    }),
    byId('post', '/cancel', {
      operationId: 'cancelTask',
      summary: 'Cancel a task',
      'x-kind': 'mutation',
      responses: {
        200: doneResponse('It had not begun, or had ended.', task()),
        202: doneResponse('It is running, and was asked to stop.', task()),
      },
    }),
    byId('post', '/retry', {
      operationId: 'retryTask',
      summary: 'Run a failed or cancelled task again',
      'x-kind': 'mutation',
      responses: {
        202: acceptedResponse('It waits to run.', task()),
        409: problems.plain('It is live, or it succeeded.'),
      },
    }),
    byId('delete', '', {
      operationId: 'removeTask',
      summary: 'Remove the record of an ended task',
      'x-kind': 'mutation',
      responses: { 204: emptyResponse('Removed.'), ...live },
    }),
  ]
}
