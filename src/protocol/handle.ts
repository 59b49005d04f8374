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
  watch?(query: { id: string; lastEventId?: string }, signal: AbortSignal): AsyncIterable<{ id: string; event: TaskEvent }>
  /** Whether a failure may pass by itself (a dropped connection, a restart), so that it's tried again. */
  isTransient?(error: unknown): boolean
  /** Whether a failure of `watch` means that this client can't, so that the handle long-polls. */
  cannotWatch?(error: unknown): boolean
}

/** Seconds a long poll asks for. */
const WAIT = 25
const FIRST_PAUSE = 200
const LONGEST_PAUSE = 5000

/** A signal that aborts with the first of these; with none, never. */
const anyOf = (...signals: readonly (AbortSignal | undefined)[]): AbortSignal =>
  AbortSignal.any(signals.filter((signal) => signal !== undefined))

/** As the promise goes, unless the signal aborts first. */
const orAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(signal.reason)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', stop))
}

/** Does it again after a transient failure, ever more slowly. */
const persist = async <T>(access: TaskAccess, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> => {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return await attempt()
    } catch (error) {
      if (signal.aborted || !access.isTransient?.(error)) throw error
      await sleep(pause, signal)
    }
  }
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  orAborted(new Promise((resolve) => setTimeout(resolve, ms)), signal)

const untilFinished = async (access: TaskAccess, id: string, signal?: AbortSignal): Promise<TaskRecord> => {
  for (;;) {
    signal?.throwIfAborted()
    const record = await persist(access, () => access.get({ id, wait: WAIT }), signal)
    if (isFinished(record.status)) return record
  }
}

// Long-polling sees the latest state, not each step: good enough for progress where nothing can push.
async function* poll(access: TaskAccess, id: string, signal: AbortSignal): AsyncGenerator<TaskEvent, void> {
  let record = await persist(access, () => access.get({ id }), signal)
  for (;;) {
    if (isFinished(record.status)) return yield { type: 'done', record }
    yield { type: 'state', record }
    if (record.progress !== undefined) yield { type: 'progress', progress: record.progress }
    const after = record.rev
    signal.throwIfAborted()
    record = await persist(access, () => access.get({ id, wait: WAIT, after }), signal)
  }
}

async function* push(access: TaskAccess, id: string, signal: AbortSignal): AsyncGenerator<TaskEvent, void> {
  let lastEventId: string | undefined
  for (let wait = FIRST_PAUSE; ; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
    try {
      for await (const message of access.watch!(lastEventId === undefined ? { id } : { id, lastEventId }, signal)) {
        lastEventId = message.id
        wait = FIRST_PAUSE
        yield message.event
        if (message.event.type === 'done') return
      }
    } catch (error) {
      if (access.cannotWatch?.(error)) return yield* poll(access, id, signal)
      if (signal.aborted || !access.isTransient?.(error)) throw error
    }
    await pause(wait, signal)
  }
}

async function* events(access: TaskAccess, id: string, outer?: AbortSignal): AsyncGenerator<TaskEvent, void> {
  const ended = new AbortController()
  const signal = outer ? AbortSignal.any([outer, ended.signal]) : ended.signal
  try {
    yield* access.watch ? push(access, id, signal) : poll(access, id, signal)
  } finally {
    ended.abort()
  }
}

async function* progressOf(stream: AsyncIterable<TaskEvent>): AsyncGenerator<unknown, void> {
  for await (const event of stream) if (event.type === 'progress') yield event.progress
}

const outputOf = (record: TaskRecord): unknown => {
  if (record.status === 'succeeded') return record.result
  throw new TaskError(record)
}

/** A handle to a task, by id. */
export const createHandle = <TOutput, TProgress>(access: TaskAccess, id: string): TaskHandle<TOutput, TProgress> =>
  ({
    id,
    result: async (options: WaitOptions = {}) => {
      const signal = waitSignal(options)
      const finished = untilFinished(access, id, signal)
      return outputOf(await (signal ? Promise.race([finished, whenAborted(signal)]) : finished))
    },
    events: ({ signal } = {}) => events(access, id, signal),
    progress: ({ signal } = {}) => progressOf(events(access, id, signal)),
    cancel: () => access.cancel(id),
    record: () => access.get({ id }),
  }) satisfies TaskHandle as TaskHandle<TOutput, TProgress>
