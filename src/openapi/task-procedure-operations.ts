/** The operations of a task procedure: run, start, get, watch, cancel. */
import { taskOperationIds } from '../protocol/paths.ts'
import type { RestBinding } from '../router/rest-routes.ts'
import type { Entry } from '../router/entries.ts'
import { aboutOf, failuresOf, methodOf, requestOf, templateOf, type Draft } from './operation.ts'
import type { Operation, Responses } from './operation-types.ts'
import { pathParametersOf } from './parameters.ts'
import {
  acceptedResponse,
  doneResponse,
  emptyResponse,
  EVENTS,
  ranHeaders,
  recordResponse,
  sharedParameters,
  START_PARAMETERS,
} from './task-parts.ts'
import { eventStream, successResponses } from './responses.ts'
import type { TaskSchemas } from './task-schemas.ts'

const WAITS =
  'Starts a task and waits for its output. With `Prefer: respond-async` the answer is 202 and the record.'

const STARTS = 'Starts a task and answers with its record, which is durable by then.'

const joined = (...texts: readonly (string | undefined)[]): string => texts.filter(Boolean).join('\n\n')

const ran = (entry: Entry, { components }: Draft, operationId: string): Responses =>
  Object.fromEntries(
    Object.entries(successResponses(entry, components, operationId)).map(([status, response]) => [
      status,
      { ...response, headers: ranHeaders() },
    ]),
  )

const runOperation = (binding: RestBinding, draft: Draft, tasks: TaskSchemas): Operation => {
  const { entry } = binding
  const { run } = taskOperationIds(entry.path)
  const about = aboutOf(entry)
  const always = entry.definition.task?.mode === 'always'
  return {
    method: methodOf(binding),
    path: templateOf(draft.prefix + binding.path),
    operationId: run,
    ...about,
    description: joined(about.description, always ? STARTS : WAITS),
    'x-kind': 'task',
    ...requestOf(binding, draft, run, sharedParameters('IdempotencyKey')),
    responses: {
      ...(always ? { 202: acceptedResponse('Started.', tasks.recordOf(entry)) } : ran(entry, draft, run)),
      ...failuresOf(entry, draft, run),
    },
  }
}

const startOperation = (binding: RestBinding, draft: Draft, tasks: TaskSchemas): Operation => {
  const { entry } = binding
  const { start } = taskOperationIds(entry.path)
  const about = aboutOf(entry)
  const inBody = { ...binding, source: { ...binding.source, from: 'body' } } as const
  return {
    method: 'post',
    path: templateOf(`${draft.prefix}${binding.path}/tasks`),
    operationId: start,
    ...about,
    summary: `${about.summary}: start`,
    description: joined(about.description, STARTS),
    'x-kind': 'task',
    ...requestOf(inBody, draft, start, sharedParameters(...START_PARAMETERS)),
    responses: {
      202: acceptedResponse('Started.', tasks.recordOf(entry)),
      ...failuresOf(entry, draft, start),
    },
  }
}

/** The operations below `…/tasks/{taskId}`. */
const byIdOperations = (
  binding: RestBinding,
  { components, problems, prefix }: Draft,
  tasks: TaskSchemas,
): Operation[] => {
  const { entry } = binding
  const ids = taskOperationIds(entry.path)
  const { description: _description, ...about } = aboutOf(entry)
  const parameters = [...pathParametersOf(binding, components, ids.get), ...sharedParameters('TaskId')]
  const path = templateOf(`${prefix}${binding.path}/tasks/{taskId}`)
  const unknown = { 404: problems.plain('No such task, or not yours.') }
  const rest = problems.responsesOf({ ...entry.definition, errors: {} }, ids.get, false)
  const record = () => tasks.recordOf(entry)
  const data = tasks.eventData(record(), entry.definition.progress, `${ids.run}Progress`)
  return [
    {
      method: 'get',
      path,
      operationId: ids.get,
      ...about,
      summary: `${about.summary}: the task`,
      'x-kind': 'query',
      parameters: [...parameters, ...sharedParameters('TaskWait', 'IfNoneMatch')],
      responses: {
        200: recordResponse('The task.', record()),
        304: emptyResponse('As you know it.'),
        ...unknown,
        ...rest,
      },
    },
    {
      method: 'get',
      path: `${path}/events`,
      operationId: ids.watch,
      ...about,
      summary: `${about.summary}: watch`,
      description: joined('Everything that happens to the task, until it ends.', EVENTS),
      'x-kind': 'subscription',
      parameters: [...parameters, ...sharedParameters('LastEventId')],
      responses: { 200: eventStream('The events.', { schema: data }), ...unknown, ...rest },
    },
    {
      method: 'post',
      path: `${path}/cancel`,
      operationId: ids.cancel,
      ...about,
      summary: `${about.summary}: cancel`,
      'x-kind': 'mutation',
      parameters,
      responses: {
        200: doneResponse('It had not begun, or had ended.', record()),
        202: doneResponse('It is running, and was asked to stop.', record()),
        ...unknown,
        ...rest,
      },
    },
  ]
}

/** The five operations of a task procedure. */
export const taskProcedureOperations = (
  binding: RestBinding,
  draft: Draft,
  tasks: TaskSchemas,
): Operation[] => [
  runOperation(binding, draft, tasks),
  startOperation(binding, draft, tasks),
  ...byIdOperations(binding, draft, tasks),
]
