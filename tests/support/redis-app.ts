/** The app with tasks of every temper, with its tasks in a Redis. */
import { createApp, local } from 'errand'
import { module, procedures } from './apps/work.ts'
import { recordingLogger, serveApp, type LogLine, type Served } from './serve.ts'

/** An app that is not served yet. Its log is in `logs`. */
export const createRedisApp = (store: NonNullable<Parameters<typeof local>[0]>['store'] & {}) => {
  const logs: LogLine[] = []
  const tasks = local({ store, threads: 1, processes: 1, drainGrace: 500 })
  const app = createApp(procedures, { module, tasks, profile: 'test', logger: recordingLogger(logs) })
  return { app, logs }
}

/** Serves one on a free port. */
export const serveRedisApp = (store: Parameters<typeof createRedisApp>[0]): Promise<Served> => {
  const { app, logs } = createRedisApp(store)
  return serveApp(app, logs)
}

/** What it warned of. */
export const warningsIn = (logs: readonly LogLine[]): string[] =>
  logs.filter(({ level }) => level === 'warn').map(({ message }) => message)
