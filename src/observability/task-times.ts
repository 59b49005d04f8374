/** How long a task waited and ran, read from its record. In ms. */
import type { StoredTask } from '../tasks/stored-task.ts'

/** How long the latest attempt ran; undefined when it has not ended, or there was none. */
export const ranFor = ({ attempts, attempt }: StoredTask): number | undefined => {
  const last = attempts.at(-1)
  return last?.n === attempt && last.finishedAt !== undefined
    ? Math.max(0, last.finishedAt - last.startedAt)
    : undefined
}

/** How long a task that has begun waited for that: since it was queued or the attempt before ended, delays included. */
export const waitedFor = ({ attempts, createdAt }: StoredTask): number => {
  const since = attempts.at(-2)?.finishedAt ?? createdAt
  return Math.max(0, Math.round((attempts.at(-1)?.startedAt ?? since) - since))
}

/** How long a task that is tried again waits for that. */
export const waitOf = ({ attempts, runAt }: StoredTask): number => {
  const endedAt = attempts.at(-1)?.finishedAt
  return runAt === undefined || endedAt === undefined ? 0 : Math.max(0, runAt - endedAt)
}
