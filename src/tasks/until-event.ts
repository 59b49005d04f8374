/** Waits for something to happen to a task, by the events of its engine. */
import type { TaskEngine } from './engine.ts'
import type { StoredTask } from './stored-task.ts'

/** Whether it happened, before the signal aborted or the engine had no more to tell. */
export const untilEvent = async (
  engine: TaskEngine,
  id: string,
  isDone: (task: StoredTask) => boolean,
  signal: AbortSignal,
): Promise<boolean> => {
  for await (const event of engine.events(id, { signal })) {
    const task = 'task' in event ? event.task : event.type === 'progress' ? await engine.get(id) : undefined
    if (task && isDone(task)) return true
  }
  return false
}
