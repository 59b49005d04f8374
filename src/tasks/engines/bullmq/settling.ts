/** Writes how an attempt ended: the end of its task, or that it waits for another one. */
import { isFinished } from '../../../protocol/task.ts'
import type { StoredTask } from '../../stored-task.ts'
import type { QueueListener, Settled } from '../fleet/shared-queue.ts'
import type { JobCodec } from './job-codec.ts'
import { endingOf, historyOf, type Lease } from './lease.ts'
import type { JobRef, Place } from './place.ts'
import { renew } from './renewing.ts'
import { storedTaskOf, withEnding } from './stored-task-of.ts'
import { askedToken } from './tokens.ts'

export interface SettlingParts {
  readonly place: Place
  readonly codec: JobCodec
  readonly changed: QueueListener['changed']
}

/** An attempt that ended. */
interface Attempt {
  readonly task: JobRef & Pick<StoredTask, 'attempt'>
  readonly lease: Lease
}

/** An end that knows of no request to stop is only taken by the token of a task that was not asked to. */
export const settle = async (parts: SettlingParts, attempt: Attempt, next: StoredTask): Promise<Settled> => {
  const write = isFinished(next.status) ? end : giveUp
  const { token } = attempt.lease
  if (next.cancelRequested) return write(parts, attempt, askedToken(token), next)
  if (await write(parts, attempt, token, next)) return true
  const [renewal] = await renew(parts.place, [attempt])
  return renewal === 'stop' && 'stop'
}

type Write = (parts: SettlingParts, attempt: Attempt, token: string, next: StoredTask) => Promise<boolean>

const end: Write = async ({ place, codec, changed }, { task, lease }, token, next) => {
  const ending = endingOf(lease, next)
  const isDone = await place.complete(task, token, codec.ending(ending))
  if (isDone) changed(task.id, (known) => withEnding(known, ending))
  return isDone
}

const giveUp: Write = async ({ place, codec, changed }, { task, lease }, token, next) => {
  const now = Date.now()
  const history = historyOf(lease, next)
  const isDone = await place.giveUp(task, token, {
    history: codec.history(history),
    delay: Math.max(0, Math.ceil((next.runAt ?? 0) - now)),
    first: next.attempt < task.attempt,
  })
  if (isDone) changed(task.id, () => storedTaskOf({ ...lease.job, history }, now))
  return isDone
}
