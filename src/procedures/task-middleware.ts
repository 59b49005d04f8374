/** Middleware of task runs: wraps every attempt where its handler runs, in a worker as on the event loop. */
import type { MaybePromise, TaskHandlerArgs } from './handler.ts'
import { checkLayered, Layered, nextOnce } from './onion.ts'
import type { MiddlewareResult } from './middleware.ts'

/** What a task's middleware gets. */
export interface TaskMiddlewareArgs extends Pick<
  TaskHandlerArgs<unknown, unknown, unknown, unknown>,
  'attempt' | 'carried' | 'log' | 'meta' | 'path' | 'signal' | 'taskId'
> {
  /** The input as it was sent, not yet checked. */
  readonly input: unknown
  /** The W3C traceparent of the attempt: what the start of the task was part of, or a span of it where there are spans. */
  readonly trace: string | undefined
  /** Runs what comes next, once: the other middleware, then the handler. Rejects with what it threw. */
  readonly next: () => Promise<MiddlewareResult>
}

/**
 * Wraps each attempt of each task. What it throws instead of calling `next` fails the attempt, by the rules for whatever
 * a handler throws.
 *
 * @example const timed: TaskMiddleware = async ({ path, log, next }) => { try { return await next() } finally { … } }
 */
export type TaskMiddleware = (args: TaskMiddlewareArgs) => Promise<MiddlewareResult>

/** Runs middleware around one attempt. Rejects with whatever a layer throws. */
export const runLayers = async (
  layers: readonly TaskMiddleware[],
  args: Omit<TaskMiddlewareArgs, 'next'>,
  core: () => MaybePromise<unknown>,
): Promise<Layered> => {
  const enter = async (index: number): Promise<Layered> => {
    const layer = layers[index]
    if (!layer) return new Layered(await core())
    const next = nextOnce(args.path, () => enter(index + 1))
    return checkLayered(args.path, await layer({ ...args, next }))
  }
  return enter(0)
}
