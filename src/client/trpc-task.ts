/** Task handles over a tRPC client. */
import { createHandle, type TaskAccess } from '../protocol/handle.ts'
import type { TaskHandle } from '../protocol/task-handle.ts'
import type { TaskEvent, TaskRecord } from '../protocol/task.ts'

// The shapes of tRPC's client procedures, as far as a handle uses them.
// oxlint-disable typescript/no-explicit-any -- parameters and results of every task
interface TaskClient {
  readonly run: { mutate: (input: any, options?: any) => Promise<any> }
  readonly start: { mutate: (input: any, options?: any) => Promise<any> }
  readonly startWith: { mutate: (input: any, options?: any) => Promise<any> }
  readonly get: { query: (input: any, options?: any) => Promise<any> }
  readonly cancel: { mutate: (input: any, options?: any) => Promise<any> }
  readonly watch: { subscribe: (input: any, callbacks: any) => { unsubscribe: () => void } }
}

type InputOf<T> = T extends { start: { mutate: (input: infer I, ...rest: any) => any } } ? I : never
type OutputOf<T> = T extends { run: { mutate: (...args: any) => Promise<infer O> } } ? O : never
type ProgressOf<T> = T extends { start: { mutate: (...args: any) => Promise<{ progress?: infer P }> } } ? P : never
type StartOptionsOf<T> = T extends { startWith: { mutate: (input: infer W, ...rest: any) => any } } ? Omit<W & object, 'input'> : never
// oxlint-enable typescript/no-explicit-any

/** The handle of a client's task. */
export type HandleOf<T> = TaskHandle<OutputOf<T>, ProgressOf<T>>

interface Failure {
  readonly message?: string
  readonly data?: { readonly httpStatus?: number } | null
}

// No answer at all, or one that says "not now": the server restarts, a proxy lost it.
const isTransient = (error: unknown): boolean => {
  const { data } = error as Failure
  return !data || data.httpStatus === 502 || data.httpStatus === 503 || data.httpStatus === 504
}

const cannotWatch = (error: unknown): boolean => String((error as Failure).message).startsWith('Subscriptions are unsupported')

interface Message {
  readonly id: string
  readonly data: TaskEvent
}

/** A subscription's callbacks as an async iterable. */
async function* watch(client: TaskClient, query: object, signal: AbortSignal) {
  const messages: Message[] = []
  let ended: { error?: unknown } | undefined
  let wake = (): void => undefined
  const end = (error?: unknown): void => {
    ended ??= { error }
    wake()
  }
  const subscription = client.watch.subscribe(query, {
    onData: (message: Message) => {
      messages.push(message)
      wake()
    },
    onError: end,
    onComplete: () => end(),
  })
  signal.addEventListener('abort', () => end(signal.reason), { once: true })
  try {
    for (;;) {
      for (let message = messages.shift(); message; message = messages.shift()) yield { id: message.id, event: message.data }
      if (ended?.error) throw ended.error
      if (ended) return
      await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    subscription.unsubscribe()
  }
}

const accessOf = (client: TaskClient): TaskAccess => ({
  get: (query) => client.get.query(query) as Promise<TaskRecord>,
  cancel: (id) => client.cancel.mutate({ id }) as Promise<TaskRecord>,
  watch: (query, signal) => watch(client, query, signal),
  isTransient,
  cannotWatch,
})

/**
 * A handle to a task that was started earlier, here or elsewhere.
 *
 * @example const task = attachTask(trpc.countPrimes, id)
 */
export const attachTask = <T extends TaskClient>(procedure: T, id: string): HandleOf<T> =>
  createHandle(accessOf(procedure), id)

/**
 * Starts a task; resolves once the server has made it durable.
 *
 * @param options idempotency key, delay, priority, tags: as `startWith` takes them
 *
 * @example const task = await startTask(trpc.countPrimes, { below: 1e9 })
 */
export const startTask = async <T extends TaskClient>(
  procedure: T,
  input: InputOf<T>,
  options?: StartOptionsOf<T>,
): Promise<HandleOf<T>> => {
  const record = (await (options
    ? procedure.startWith.mutate({ ...options, input })
    : procedure.start.mutate(input))) as TaskRecord
  return attachTask(procedure, record.id)
}
