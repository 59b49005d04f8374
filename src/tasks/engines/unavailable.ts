/** Why an engine takes nothing, though nothing is wrong with it: no fault, so nothing for a log. */
import { EngineUnavailable } from '../engine.ts'

export const draining = (): EngineUnavailable =>
  new EngineUnavailable('The server is shutting down and takes no new tasks', {
    retryAfter: 5,
    refuses: true,
  })

export const closed = (): EngineUnavailable =>
  new EngineUnavailable('The engine is closed', { refuses: true })

export const full = (limit: number): EngineUnavailable =>
  new EngineUnavailable(`${limit} tasks are queued, which is the limit (queueLimit). Try later`, {
    retryAfter: 5,
    refuses: true,
  })
