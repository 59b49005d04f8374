/** What tests do with an engine: start a task, wait for its state, watch it. */
import { isFinished } from '../../src/protocol/task.ts'
import type { EngineEvent, TaskEngine, TaskSpec } from '../../src/tasks/engine.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'
import { spec } from '../../src/testing/suites/engine/bench.ts'
import { until } from './until.ts'

/** Starts one; resolves with its id. */
export const start = async (
  engine: TaskEngine,
  procedure: string,
  extra?: Partial<TaskSpec>,
): Promise<string> => (await engine.submit(spec(procedure, extra))).task.id

/** The task once it is so. */
export const taskWhen = (
  engine: TaskEngine,
  id: string,
  isSo: (task: StoredTask) => boolean,
  withinMs?: number,
): Promise<StoredTask> =>
  until(
    `the state of task ${id}`,
    async () => {
      const task = await engine.get(id)
      return task && isSo(task) && task
    },
    withinMs,
  )

export const endOf = (engine: TaskEngine, id: string, withinMs?: number): Promise<StoredTask> =>
  taskWhen(engine, id, ({ status }) => isFinished(status), withinMs)

export const runningOf = (engine: TaskEngine, id: string): Promise<StoredTask> =>
  taskWhen(engine, id, ({ status }) => status === 'running')

/** A watched task. */
export interface Watched {
  /** Everything that happens to it, to its end. */
  readonly events: Promise<readonly EngineEvent[]>
}

/** Watches a task; resolves once its present state was told: what happens from then on is seen. */
export const watch = async (engine: TaskEngine, id: string): Promise<Watched> => {
  const begun = Promise.withResolvers<void>()
  const collect = async (): Promise<EngineEvent[]> => {
    const events: EngineEvent[] = []
    for await (const event of engine.events(id, { signal: new AbortController().signal })) {
      events.push(event)
      begun.resolve()
    }
    return events
  }
  const events = collect()
  await Promise.race([begun.promise, events])
  return { events }
}
