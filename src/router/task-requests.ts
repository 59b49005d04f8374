/** What requests about tasks say, in headers and the query. */
import type { TaskStatus } from '../protocol/task.ts'
import { ProcedureError } from '../procedures/errors.ts'
import type { RepeatableStart } from '../procedures/procedure.ts'
import type { ListQuery } from '../tasks/tasks.ts'
import type { Entry } from './entries.ts'
import { queryOf, type HttpRequest } from './http.ts'
import { readPrefer, type Preference } from './prefer.ts'
import type { PathParams } from './route-table.ts'

const LONGEST_WAIT = 30

export const idOf = (params: PathParams): string => params['taskId'] as string

export const search = (request: HttpRequest): URLSearchParams => new URLSearchParams(queryOf(request.url))

export const readSeconds = (text: string | null): number | undefined => {
  if (text === null) return undefined
  const seconds = Number(text)
  if (text !== '' && seconds >= 0 && seconds <= LONGEST_WAIT) return seconds
  throw new ProcedureError(
    'BAD_REQUEST',
    `wait is ${JSON.stringify(text)}, expected seconds from 0 to ${LONGEST_WAIT}`,
  )
}

export const header = (request: HttpRequest, name: string): string | undefined => request.header(name)

export type ReadStart = (request: HttpRequest) => RepeatableStart

/** The options of a start from its headers. */
export const readStartHeaders: ReadStart = (request) => {
  const priority = header(request, 'task-priority')
  const tags = header(request, 'task-tags')
  const delay = header(request, 'task-delay')
  return {
    idempotencyKey: header(request, 'idempotency-key'),
    runAt: header(request, 'task-run-at'),
    delay: delay !== undefined && /^\d+$/.test(delay) ? Number(delay) : delay,
    priority: priority === undefined ? undefined : Number(priority),
    tags:
      tags === undefined
        ? undefined
        : tags
            .split(',')
            .map((tag) => tag.trim())
            .filter(Boolean),
  }
}

// In the query: a header of ours would need every proxy's and gateway's leave to come from a page of another origin.
export const readRepeatableStart: ReadStart = (request) => ({
  ...readStartHeaders(request),
  retryKey: search(request).get('retryKey') ?? undefined,
})

const NO_PREFERENCE: Preference = { respondAsync: false, applied: [] }

/** What the caller wants: to wait, or a record. */
export const wantsOf = (entry: Entry, request: HttpRequest): Preference => {
  const asked = readPrefer(header(request, 'prefer'))
  if (asked.respondAsync) return asked
  const flag = search(request).get('async')
  const always = entry.definition.task?.mode === 'always'
  if (always || flag === 'true' || flag === '1') return { respondAsync: true, applied: [] }
  return NO_PREFERENCE
}

export const waitOf = ({ respondAsync, wait }: Preference): number =>
  respondAsync ? (wait ?? 0) * 1000 : Infinity

/** The revs that the caller has (RFC 9110 §13.1.2). */
export const knownRevs = (request: HttpRequest): string[] =>
  [...(header(request, 'if-none-match') ?? '').matchAll(/"([^"]*)"/g)].map((match) => match[1] as string)

const STATUSES: readonly string[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled']

const readLimit = (text: string | null): number | undefined => {
  if (text === null) return undefined
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 200) return limit
  throw new ProcedureError(
    'BAD_REQUEST',
    `limit is ${JSON.stringify(text)}, expected a whole number from 1 to 200`,
  )
}

const readStatus = (text: string | null): TaskStatus | undefined => {
  if (text === null || STATUSES.includes(text)) return (text ?? undefined) as TaskStatus | undefined
  throw new ProcedureError(
    'BAD_REQUEST',
    `status is ${JSON.stringify(text)}, expected one of ${STATUSES.join(', ')}`,
  )
}

export const readListQuery = (request: HttpRequest): ListQuery => {
  const query = search(request)
  return {
    procedure: query.get('procedure') ?? undefined,
    status: readStatus(query.get('status')),
    tag: query.get('tag') ?? undefined,
    limit: readLimit(query.get('limit')),
    cursor: query.get('cursor') ?? undefined,
  }
}
