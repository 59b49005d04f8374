/**
 * The ports, for whoever writes an engine, an executor or a store: their types, and the few functions that make one right.
 * Their suites are in `errand/testing/suites`.
 */
export type { Clock, Timer } from './tasks/clock.ts'
export {
  EngineUnavailable,
  type CancelResult,
  type Claim,
  type EngineCapabilities,
  type EngineEvent,
  type EngineHost,
  type StoredPage,
  type Submitted,
  type SubmitOptions,
  type TaskEngine,
  type TaskPolicy,
  type TaskQuery,
  type TaskSpec,
} from './tasks/engine.ts'
export type { EngineOptions, ExecutorSizes, TasksOption } from './tasks/engines/options.ts'
export type {
  Call,
  CallEvents,
  Executor,
  ExecutorCapabilities,
  Outcome,
  OutcomeError,
  Running,
} from './tasks/executor.ts'
export {
  cancelled,
  cancelRequested,
  created,
  ended,
  expired,
  isRunningAttempt,
  NEXT_STATUS,
  progressed,
  recovered,
  requeued,
  started,
  type EndingRules,
} from './tasks/lifecycle.ts'
export { stopReason, type StopName } from './tasks/engines/claim.ts'
export type { Report, StoreCapabilities, TaskStore } from './tasks/store.ts'
export type { StoredAttempt, StoredError, StoredTask } from './tasks/stored-task.ts'
