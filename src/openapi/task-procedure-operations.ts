/** The operations of a task procedure: run, start, get, watch, cancel. */
import { taskOperationIds } from '../protocol/paths.ts'
import type { RestBinding } from '../router/rest-routes.ts'
import { aboutOf, callOf, templateOf, type Draft } from './operation.ts'
import type { Operation, Response, Responses } from './operation-types.ts'
import { given } from './operation-types.ts'
import { pathParametersOf } from './parameters.ts'
import {
  acceptedResponse,
  doneResponse,
  emptyResponse,
  EVENTS,
  ranHeaders,
  recordResponse,
  shared,
  START_HEADERS,
} from './task-parts.ts'
import { eventStream } from './responses.ts'
import type { TaskSchemas } from './task-schemas.ts'

const WAITS =
  "Starts a task and waits for its output. With `Prefer: respond-async` the answer is 202 and the task's record."

const joined = (...texts: readonly (string | undefined)[]): string => texts.filter(Boolean).join('\n\n')

const ran = (responses: Responses): Responses =>
  Object.fromEntries(
    Object.entries(responses).map(([status, response]) =>
      status.startsWith('2')
        ? [status, { ...(response as Response), headers: ranHeaders() }]
        : [status, response],
    ),
  )

/** Errors alone: what a start that doesn't wait is refused with. */
const refusals = (responses: Responses): Responses =>
  Object.fromEntries(Object.entries(responses).filter(([status]) => !status.startsWith('2')))

const runOperation = (binding: RestBinding, draft: Draft, tasks: TaskSchemas): Operation => {
  const { entry } = binding
  const { run } = taskOperationIds(entry.path)
  const about = aboutOf(entry)
  const call = callOf(binding, draft, run)
  const always = entry.definition.task?.mode === 'always'
  const accepted = acceptedResponse('Started; the record is durable.', tasks.recordOf(entry))
  return {
    method: binding.method.toLowerCase() as Operation['method'],
    path: templateOf(draft.prefix + binding.path),
    operationId: run,
    ...about,
    description: joined(about.description, always ? 'Starts a task and answers with its record.' : WAITS),
    'x-kind': 'task',
    ...call,
    parameters: [...(call.parameters ?? []), ...shared('IdempotencyKey')],
    responses: always ? { 202: accepted, ...refusals(call.responses) } : ran(call.responses),
  }
}

const startOperation = (binding: RestBinding, draft: Draft, tasks: TaskSchemas): Operation => {
  const { entry } = binding
  const { start } = taskOperationIds(entry.path)
  const about = aboutOf(entry)
  const inBody = { ...binding, source: { ...binding.source, from: 'body' } } as const
  const call = callOf(inBody, draft, start)
  return {
    method: 'post',
    path: templateOf(`${draft.prefix}${binding.path}/tasks`),
    operationId: start,
    ...about,
    summary: `${about.summary}: start`,
    description: joined(
      about.description,
      'Starts a task and answers with its record, which is durable by then.',
    ),
    'x-kind': 'task',
    ...call,
    parameters: [...(call.parameters ?? []), ...shared(...START_HEADERS)],
    responses: { 202: acceptedResponse('Started.', tasks.recordOf(entry)), ...refusals(call.responses) },
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
  const parameters = [...pathParametersOf(binding, components, ids.get), ...shared('TaskId')]
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
      parameters: [...parameters, ...shared('TaskWait', 'IfNoneMatch')],
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
      parameters: [...parameters, ...shared('LastEventId')],
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
