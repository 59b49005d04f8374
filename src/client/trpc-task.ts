/** A task over a tRPC client. */
import type { TaskEvent, TaskRecord } from '../protocol/task.ts'
import { isTransientStatus, type RemoteTask } from './remote-task.ts'

// The shapes of tRPC's client procedures, as far as a handle uses them.
// oxlint-disable typescript/no-explicit-any -- parameters and results of every task
/** A task's procedures in a tRPC client, as `trpc.countPrimes`. */
export interface TrpcTask {
  readonly run: { mutate: (input: any, options?: any) => Promise<any> }
  readonly start: { mutate: (input: any, options?: any) => Promise<any> }
  readonly startWith: { mutate: (input: any, options?: any) => Promise<any> }
  readonly get: { query: (input: any, options?: any) => Promise<any> }
  readonly cancel: { mutate: (input: any, options?: any) => Promise<any> }
  readonly watch: { subscribe: (input: any, callbacks: any) => { unsubscribe: () => void } }
}

export type TrpcInput<T> = T extends { start: { mutate: (input: infer I, ...rest: any) => any } } ? I : never
export type TrpcOutput<T> = T extends { run: { mutate: (...args: any) => Promise<infer O> } } ? O : never
export type TrpcProgress<T> = T extends {
  start: { mutate: (...args: any) => Promise<{ progress?: infer P }> }
}
  ? P
  : never
// oxlint-enable typescript/no-explicit-any

interface Failure {
  readonly message?: string
  readonly data?: { readonly httpStatus?: number } | null
}

interface Message {
  readonly id: string
  readonly data: TaskEvent
}

/** A subscription's callbacks as an async iterable. */
async function* watch(client: TrpcTask, query: object, signal: AbortSignal) {
  signal.throwIfAborted()
  let unsubscribe = (): void => undefined
  const messages = new ReadableStream<Message>({
    start: (controller) => {
      const subscription = client.watch.subscribe(query, {
        onData: (message: Message) => controller.enqueue(message),
        onError: (error: unknown) => controller.error(error),
        onComplete: () => controller.close(),
      })
      unsubscribe = () => subscription.unsubscribe()
      // In this order: to unsubscribe completes, and an ended stream can't be closed.
      signal.addEventListener('abort', () => {
        unsubscribe()
        controller.error(signal.reason)
      })
    },
  }).getReader()
  try {
    for (let read = await messages.read(); !read.done; read = await messages.read())
      yield { id: read.value.id, event: read.value.data }
  } finally {
    unsubscribe()
  }
}

/** Reaches a task through a tRPC client. */
export const trpcTask = (client: TrpcTask): RemoteTask => ({
  start: (input, options) =>
    (options
      ? client.startWith.mutate({ ...options, input })
      : client.start.mutate(input)) as Promise<TaskRecord>,
  get: (query) => client.get.query(query) as Promise<TaskRecord>,
  cancel: (id) => client.cancel.mutate({ id }) as Promise<TaskRecord>,
  watch: (query, signal) => watch(client, query, signal),
  isTransient: (error) => isTransientStatus((error as Failure).data?.httpStatus),
  cannotWatch: (error) => String((error as Failure).message).startsWith('Subscriptions are unsupported'),
})
