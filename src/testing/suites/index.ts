/**
 * What every engine, executor and store must do, as suites for vitest: whoever writes one runs its suite on it, as Errand
 * does on its own.
 */
export { engineSuite, type EngineCase, type EngineSuiteOptions } from './engine/engine-suite.ts'
export type { EnginePlace } from './engine/place.ts'
export {
  createGate,
  FakeHost,
  failure,
  lost,
  never,
  returned,
  untilAborted,
  value,
  type Script,
} from './engine/fake-host.ts'
export { executorSuite, type ExecutorCase, type ExecutorSuiteOptions } from './executor/executor-suite.ts'
export type { ExecutorOptions } from './executor/bench.ts'
export { tasks as executorTasks } from './executor/fixtures/tasks.ts'
export { storeSuite, type StoreCase, type StoreSuiteOptions } from './store/store-suite.ts'
export type { StorePlace } from './store/bench.ts'
export { endedTask, newTask } from './store/records.ts'
