/** Makes a task handle from the few calls that reach a task: the same one on the server, in a worker, in a client. */
import { toMilliseconds } from './duration.ts'
import { insist, TRIES } from './patience.ts'
import { orAborted, stoppable, stopWith } from './stop.ts'
import type { TaskAccess } from './task-access.ts'
import { TaskError } from './task-error.ts'
import type { TaskHandle, WaitOptions } from './task-handle.ts'
import { eventsOf, progressIn, read, WAIT } from './task-stream.ts'
import { isFinished, type TaskRecord } from './task.ts'

const untilFinished = async (access: TaskAccess, id: string, signal: AbortSignal): Promise<TaskRecord> => {
  if (access.ended) return access.ended(id, signal)
  for (;;) {
    const record = await read(access, signal, { id, wait: WAIT })
    if (isFinished(record.status)) return record
  }
}

const outputOf = (record: TaskRecord): unknown => {
  if (record.status === 'succeeded') return record.result
  throw new TaskError(record)
}

const resultOf = async (
  access: TaskAccess,
  id: string,
  { timeout, signal }: WaitOptions = {},
): Promise<unknown> => {
  // Then nothing but the task's end ends the wait, and on the server that is all there is to it.
  if (access.ended && timeout === undefined && !signal) return outputOf(await access.ended(id))
  const stop = stopWith(signal, timeout === undefined ? timeout : toMilliseconds(timeout))
  try {
    return outputOf(await orAborted(untilFinished(access, id, stop.signal), stop.signal))
  } finally {
    stop.release()
  }
}

/** A handle to a task, by id. */
export const createHandle = <TOutput, TProgress>(
  access: TaskAccess,
  id: string,
): TaskHandle<TOutput, TProgress> => {
  const events = (signal: AbortSignal) => eventsOf(access, id, signal)
  const handle: TaskHandle = {
    id,
    result: (options) => resultOf(access, id, options),
    events: ({ signal } = {}) => stoppable(events, signal),
    progress: ({ signal } = {}) => stoppable((stop) => progressIn(events(stop)), signal),
    cancel: () => insist(access, () => access.cancel(id), { tries: TRIES }),
    record: () => insist(access, () => access.get({ id }), { tries: TRIES }),
  }
  return handle as TaskHandle<TOutput, TProgress>
}
