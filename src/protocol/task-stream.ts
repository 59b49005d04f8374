/** What happens to a task, as one stream: pushed where that is possible, else polled, and gone on with after a break. */
import type { TaskAccess } from './task-access.ts'
import { insist, patience } from './patience.ts'
import { pause, stopWith } from './stop.ts'
import { isFinished, type TaskEvent, type TaskRecord } from './task.ts'

/** Seconds a long poll asks for. */
export const WAIT = 25

/** Milliseconds between polls of a task that reports faster than anybody reads. */
const PACE = 100

// Each call has a signal of its own, as clients leave listeners on those they are given.
const readOnce = async (
  access: TaskAccess,
  signal: AbortSignal,
  query: Parameters<TaskAccess['get']>[0],
): Promise<TaskRecord> => {
  const stop = stopWith(signal)
  return access.get(query, stop.signal).finally(stop.release)
}

/** Reads the record, again and again where a failure may pass by itself. */
export const read = (...[access, signal, query]: Parameters<typeof readOnce>): Promise<TaskRecord> =>
  insist(access, () => readOnce(access, signal, query), { signal })

const text = (value: unknown): string | undefined => JSON.stringify(value)

const stateOf = ({ progress: _progress, rev: _rev, ...state }: TaskRecord): string | undefined => text(state)

/** What one poll finds changed since the one before. */
function* changes(before: TaskRecord | undefined, now: TaskRecord): Generator<TaskEvent, void> {
  if (!before || (!isFinished(now.status) && stateOf(before) !== stateOf(now)))
    yield { type: 'state', record: now }
  if (before && now.progress !== undefined && text(before.progress) !== text(now.progress))
    yield { type: 'progress', progress: now.progress }
}

// Long-polling sees the latest state, not each step: good enough where nothing can push.
async function* poll(access: TaskAccess, id: string, signal: AbortSignal): AsyncGenerator<TaskEvent, void> {
  let before: TaskRecord | undefined
  for (;;) {
    const now = await read(access, signal, before ? { id, wait: WAIT, after: before.rev } : { id })
    yield* changes(before, now)
    if (isFinished(now.status)) return yield { type: 'done', record: now }
    if (before) await pause(PACE, signal)
    before = now
  }
}

function* endedUnseen(record: TaskRecord): Generator<TaskEvent, void> {
  yield { type: 'gap' }
  yield { type: 'state', record }
  yield { type: 'done', record }
}

async function* push(access: TaskAccess, id: string, signal: AbortSignal): AsyncGenerator<TaskEvent, void> {
  let query: { id: string; lastEventId?: string } = { id }
  for (let failures = 0; ; failures++) {
    let heard = false
    let seconds: number | undefined
    const stop = stopWith(signal)
    try {
      for await (const message of access.watch!(query, stop.signal)) {
        query = { id, lastEventId: message.id }
        failures = 0
        heard = true
        yield message.event
        if (message.event.type === 'done') return
      }
    } catch (error) {
      if (access.cannotWatch?.(error)) return yield* poll(access, id, signal)
      seconds = access.retryAfter?.(error)
      if (signal.aborted || seconds === undefined) throw error
    } finally {
      stop.abort()
      stop.release()
    }
    await pause(patience(failures, seconds), signal)
    if (heard || seconds !== undefined) continue
    // Not a word: the task may be gone, which the record tells, or have ended in a way that nothing is told of.
    const record = await read(access, signal, { id })
    if (isFinished(record.status)) return yield* endedUnseen(record)
  }
}

/** Everything that happens to a task, from its present state to `done`. */
export const eventsOf = (access: TaskAccess, id: string, signal: AbortSignal): AsyncIterable<TaskEvent> =>
  (access.watch ? push : poll)(access, id, signal)

/**
 * The progress among events. Whoever comes late, or after the end, is told how far it is by the record, and so is who
 * missed something.
 */
export async function* progressIn(events: AsyncIterable<TaskEvent>): AsyncGenerator<unknown, void> {
  let told: string | undefined
  let isBehind = true
  for await (const event of events) {
    if (event.type === 'gap') isBehind = true
    const isReport = event.type === 'progress'
    const progress = isReport
      ? event.progress
      : isBehind && 'record' in event
        ? event.record.progress
        : undefined
    if (progress === undefined || (!isReport && text(progress) === told)) continue
    isBehind = false
    told = text(progress)
    yield progress
  }
}
