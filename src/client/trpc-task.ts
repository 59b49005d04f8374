/** A task over a tRPC client. */
import type { TaskEvent, TaskRecord } from '../protocol/task.ts'
import { retryAfter } from './failure.ts'
import type { RemoteTask } from './remote-task.ts'

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
type RunOutput<T> = T extends { run: { mutate: (...args: any) => Promise<infer O> } } ? O : never
// What tRPC makes of void.
export type TrpcOutput<T> = [RunOutput<T>] extends [never] ? void : RunOutput<T>
export type TrpcProgress<T> = T extends {
  start: { mutate: (...args: any) => Promise<{ progress?: infer P }> }
}
  ? P
  : never
// oxlint-enable typescript/no-explicit-any

interface Message {
  readonly id: string
  readonly data: TaskEvent
}

/**
 * A subscription's callbacks as an async iterable, up to the first break: a link that would connect again does so at
 * a pace of its own, and the handle knows when.
 */
async function* watch(client: TrpcTask, query: object, signal: AbortSignal) {
  const messages: Message[] = []
  let ended: { readonly error: Error | undefined } | undefined
  let wake = (): void => undefined
  const end = (error?: Error): void => {
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
    onConnectionStateChange: ({ error }: { error?: Error | null }) => error && end(error),
  })
  signal.addEventListener('abort', () => end())
  try {
    while (!signal.aborted) {
      for (let next = messages.shift(); next; next = messages.shift()) yield { id: next.id, event: next.data }
      if (ended?.error) throw ended.error
      if (ended) return
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    subscription.unsubscribe()
  }
}

/** A client without a link for subscriptions, or with one that lacks an EventSource to work with. */
const NO_SUBSCRIPTIONS = /^Subscriptions are unsupported|EventSource is not a constructor/

/** Reaches a task through a tRPC client. */
export const trpcTask = (client: TrpcTask): RemoteTask => ({
  start: (input, options) => client.startWith.mutate({ ...options, input }) as Promise<TaskRecord>,
  get: (query, signal) => client.get.query(query, { signal }) as Promise<TaskRecord>,
  cancel: (id) => client.cancel.mutate({ id }) as Promise<TaskRecord>,
  watch: (query, signal) => watch(client, query, signal),
  retryAfter,
  cannotWatch: (error) => NO_SUBSCRIPTIONS.test((error as Error).message),
})
