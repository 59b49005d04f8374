/** Where a test kit steps into an app. Errand's own: nothing of it is promised. */
import type { Entry } from './router/entries.ts'
import type { Executor } from './tasks/executor.ts'

/** Each gets what the app made and gives what the app is to use. */
export interface Seams {
  readonly entry?: (entry: Entry) => Entry
  /** What code says is all that holds: no file and no environment is read. */
  readonly sealed?: boolean
  readonly executor?: (executor: Executor) => Executor
}
