/** Tasks whose every run goes through middleware, for any engine: workers import this module, and find the same functions. */
import { threadId } from 'node:worker_threads'
import { createApp, createProcedure, type TaskMiddleware } from 'errand'
import { z } from 'zod'

export const module = import.meta.url

/** Of the caller. */
export interface Context {
  readonly user: string | null
}

const procedure = createProcedure<Context>()

const Input = z.object({ fail: z.int().default(0), refused: z.boolean().default(false) })

const visit = procedure.task({
  input: Input,
  output: z.string(),
  progress: z.number(),
  retry: { attempts: 3, initial: 1, jitter: 0 },
  carry: ({ ctx }) => ({ user: ctx.user }),
  handler: ({ input, carried, attempt, progress, log }) => {
    log.info('in the handler', { attempt })
    progress(attempt)
    const user = carried?.user ?? 'nobody'
    if (attempt <= input.fail) throw new Error(`attempt ${attempt} of ${user} failed`)
    return `${user} at attempt ${attempt}`
  },
})

export const procedures = { visit }

const isMain = threadId === 0

const outer: TaskMiddleware = async ({ path, taskId, attempt, carried, log, next }) => {
  // What the server starts by itself has no caller to carry anything of.
  const user = (carried as Context | undefined)?.user
  log.info('outer begins', { path, taskId, attempt, user, isMain })
  try {
    return await next()
  } finally {
    log.info('outer ends', { attempt })
  }
}

const inner: TaskMiddleware = ({ input, log, next }) => {
  log.info('inner begins')
  if ((input as { refused?: boolean }).refused) throw new Error('refused by the inner one')
  return next()
}

/** In the order of the list. */
export const useTask = [outer, inner]

export default createApp(procedures, { module, useTask })
