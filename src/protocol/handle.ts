/** Makes a task handle from the few calls that reach a task: the same one on the server, in a worker, in a client. */
import { toMilliseconds } from './duration.ts'
import { TaskError } from './task-error.ts'
import type { TaskHandle, WaitOptions } from './task-handle.ts'
import { isFinished, type TaskEvent, type TaskRecord } from './task.ts'

/** What a handle needs to know how to do. */
export interface TaskAccess {
  /** The record; `wait` (seconds, ≤ 30) holds the answer until the task ends or, with `after`, changes. */
  get(query: { id: string; wait?: number; after?: string }): Promise<TaskRecord>
  cancel(id: string): Promise<TaskRecord>
  /** Pushes events with their ids; a handle without it long-polls. May throw, and is then opened again. */
  watch?(
    query: { id: string; lastEventId?: string },
    signal: AbortSignal,
  ): AsyncIterable<{ id: string; event: TaskEvent }>
  /** Whether a failure may pass by itself (a dropped connection, a restart), so that it's tried again. */
  isTransient?(error: unknown): boolean
  /** Whether a failure of `watch` means that this client can't, so that the handle long-polls. */
  cannotWatch?(error: unknown): boolean
}

/** Seconds a long poll asks for. */
const WAIT = 25

/** A signal that aborts with the first of these; with none, never. */
const anyOf = (...signals: readonly (AbortSignal | undefined)[]): AbortSignal =>
  AbortSignal.any(signals.filter((signal) => signal !== undefined))

/** As the promise goes, unless the signal aborts first. */
const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })

/** Waits after the nth failure in a row, longer each time. */
const pause = (failures: number, signal: AbortSignal): Promise<void> =>
  orAborted(new Promise((resolve) => setTimeout(resolve, Math.min(200 * 2 ** failures, 5000))), signal)

/** Reads the record, again and again where a failure may pass by itself. */
const read = async (
  access: TaskAccess,
  signal: AbortSignal,
  query: Parameters<TaskAccess['get']>[0],
): Promise<TaskRecord> => {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted()
    try {
      return await access.get(query)
    } catch (error) {
      if (!access.isTransient?.(error)) throw error
    }
    await pause(failures, signal)
  }
}

const untilFinished = async (access: TaskAccess, id: string, signal: AbortSignal): Promise<TaskRecord> => {
  for (;;) {
    const record = await read(access, signal, { id, wait: WAIT })
    if (isFinished(record.status)) return record
  }
}

// Long-polling sees the latest state, not each step: good enough for progress where nothing can push.
async function* poll(access: TaskAccess, id: string, signal: AbortSignal): AsyncGenerator<TaskEvent, void> {
  let record = await read(access, signal, { id })
  while (!isFinished(record.status)) {
    if (record.progress !== undefined) yield { type: 'progress', progress: record.progress }
    yield { type: 'state', record }
    record = await read(access, signal, { id, wait: WAIT, after: record.rev })
  }
  yield { type: 'done', record }
}

async function* push(access: TaskAccess, id: string, signal: AbortSignal): AsyncGenerator<TaskEvent, void> {
  let query: { id: string; lastEventId?: string } = { id }
  for (let failures = 0; ; failures++) {
    try {
      for await (const message of access.watch!(query, signal)) {
        query = { id, lastEventId: message.id }
        failures = 0
        yield message.event
        if (message.event.type === 'done') return
      }
    } catch (error) {
      if (access.cannotWatch?.(error)) return yield* poll(access, id, signal)
      if (signal.aborted || !access.isTransient?.(error)) throw error
    }
    await pause(failures, signal)
  }
}

async function* events(access: TaskAccess, id: string, outer?: AbortSignal): AsyncGenerator<TaskEvent, void> {
  const ended = new AbortController()
  const signal = anyOf(outer, ended.signal)
  try {
    yield* (access.watch ? push : poll)(access, id, signal)
  } finally {
    ended.abort()
  }
}

// Whoever comes late, or after the end, is told how far it is by the record.
async function* progressOf(stream: AsyncIterable<TaskEvent>): AsyncGenerator<unknown, void> {
  let isFirst = true
  for await (const event of stream) {
    const progress =
      event.type === 'progress' ? event.progress : isFirst && 'record' in event && event.record.progress
    if (progress === undefined || progress === false) continue
    isFirst = false
    yield progress
  }
}

const outputOf = (record: TaskRecord): unknown => {
  if (record.status === 'succeeded') return record.result
  throw new TaskError(record)
}

/** A handle to a task, by id. */
export const createHandle = <TOutput, TProgress>(
  access: TaskAccess,
  id: string,
): TaskHandle<TOutput, TProgress> =>
  ({
    id,
    result: async ({ timeout, signal }: WaitOptions = {}) => {
      const stop = anyOf(
        signal,
        timeout === undefined ? timeout : AbortSignal.timeout(toMilliseconds(timeout)),
      )
      return outputOf(await orAborted(untilFinished(access, id, stop), stop))
    },
    events: ({ signal } = {}) => events(access, id, signal),
    progress: ({ signal } = {}) => progressOf(events(access, id, signal)),
    cancel: () => access.cancel(id),
    record: () => access.get({ id }),
  }) satisfies TaskHandle as TaskHandle<TOutput, TProgress>
