/** A task over a generated REST client: the same handles as over tRPC. */
import type { TaskEvent, TaskRecord } from '../protocol/task.ts'
import { refusalOf, retryAfter } from './failure.ts'
import type { RemoteTask } from './remote-task.ts'

// What a generated operation takes and answers with; its own generics are about the call, not the data.
// oxlint-disable typescript/no-explicit-any -- options and answers of every operation
type OptionsOf<T> = T extends (options: infer O) => any ? NonNullable<O> : never
type AnswerOf<T> = T extends (options: any) => Promise<infer A>
  ? A extends { data: infer D }
    ? NonNullable<D>
    : never
  : never
// oxlint-enable typescript/no-explicit-any
type MemberOf<T, K extends PropertyKey> = T extends { [M in K]?: infer V } ? V : unknown

type StartOf<TSdk, TName extends string> = MemberOf<TSdk, `start${Capitalize<TName>}`>

/** The tasks of a generated client, each by the name of its plain call. */
export type RestTaskName<TSdk> = {
  [K in keyof TSdk & string]: `watch${Capitalize<K>}Task` extends keyof TSdk ? K : never
}[keyof TSdk & string]

/** A task of a generated client, for `startTask` and `attachTask`. */
export type RestTask<TSdk, TName extends string> = RemoteTask<
  MemberOf<OptionsOf<StartOf<TSdk, TName>>, 'body'>,
  MemberOf<AnswerOf<StartOf<TSdk, TName>>, 'result'>,
  MemberOf<AnswerOf<StartOf<TSdk, TName>>, 'progress'>
>

/** Sent with each call. */
export interface RestTaskOptions<TClient = unknown> {
  /** Default: the generated module's own client. */
  readonly client?: TClient
  readonly headers?: Readonly<Record<string, string>>
}

interface Answer {
  readonly data?: unknown
  readonly error?: { readonly detail?: string } | string
  readonly response?: Response
}

interface ServerEvent {
  readonly event: 'state' | 'progress' | 'log' | 'gap' | 'done'
  readonly id: string
  readonly data: unknown
}

type Operation = (options: object) => Promise<Answer & { readonly stream: AsyncIterable<unknown> }>

// A problem as an Error with the problem's members; a failure of the network is one already.
const toError = ({ error, response }: Answer): unknown => {
  if (error instanceof Error) return error
  const problem = typeof error === 'object' ? error : undefined
  return Object.assign(
    new Error(problem?.detail ?? `Status ${response?.status}`),
    response && refusalOf(response),
    problem,
  )
}

const toEvent = ({ event, data }: ServerEvent): TaskEvent =>
  ({
    type: event,
    ...(event !== 'gap' && { [event === 'state' || event === 'done' ? 'record' : event]: data }),
  }) as unknown as TaskEvent

/**
 * A task of a generated REST client, for `startTask` and `attachTask`.
 *
 * @param sdk the generated module: `import * as sdk from './clients/api/index.ts'`
 * @param name the task's plain call in it
 *
 * @example const task = await startTask(restTask(sdk, 'countPrimes'), { below: 1e9 })
 */
export const restTask = <TSdk extends object, TName extends RestTaskName<TSdk>>(
  sdk: TSdk,
  name: TName,
  options?: RestTaskOptions<MemberOf<OptionsOf<StartOf<TSdk, TName>>, 'client'>>,
): RestTask<TSdk, TName> => {
  const call = (before: string, after: string, own: { headers?: object; [option: string]: unknown }) =>
    (sdk as Record<string, Operation>)[before + name[0]!.toUpperCase() + name.slice(1) + after]!({
      ...options,
      ...own,
      headers: { ...options?.headers, ...own.headers },
    })
  const unwrap = (answer: Answer): TaskRecord => {
    // Not even an object: something answered in the server's place.
    if ('error' in answer || typeof answer.data !== 'object') throw toError(answer)
    return answer.data as TaskRecord
  }
  async function* watch(id: string, lastEventId: string | undefined, signal: AbortSignal) {
    let last: ServerEvent | undefined
    const { stream } = await call('watch', 'Task', {
      path: { taskId: id },
      headers: { 'Last-Event-ID': lastEventId },
      signal,
      // The handle opens it again, and knows where it was.
      sseMaxRetryAttempts: 1,
      onSseEvent: (event: ServerEvent) => (last = event),
    })
    for await (const _ of stream) yield { id: last!.id, event: toEvent(last!) }
  }
  const get: RemoteTask['get'] = async ({ id, wait, after }, signal) => {
    const answer = await call('get', 'Task', {
      path: { taskId: id },
      query: { wait },
      headers: { 'If-None-Match': after && `"${after}"` },
      signal,
    })
    return answer.response?.status === 304 ? get({ id }, signal) : unwrap(answer)
  }
  const task: RemoteTask<unknown> = {
    start: async (body, { idempotencyKey, runAt, delay, priority, tags, retryKey } = {}) =>
      unwrap(
        await call('start', '', {
          body,
          query: { retryKey },
          headers: {
            'Idempotency-Key': idempotencyKey,
            'Task-Run-At': runAt,
            'Task-Delay': delay,
            'Task-Priority': priority,
            'Task-Tags': tags,
          },
        }),
      ),
    get,
    cancel: async (taskId) => unwrap(await call('cancel', 'Task', { path: { taskId } })),
    watch: ({ id, lastEventId }, signal) => watch(id, lastEventId, signal),
    retryAfter,
  }
  return task as unknown as RestTask<TSdk, TName>
}
