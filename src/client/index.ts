/** Errand beside a tRPC client, browsers included: links, task handles, typed errors. */
export { errorOf, type ErrorOf } from './errors.ts'
export { errandLinks, type ErrandLinksOptions } from './links.ts'
export type { RemoteTask, StartTaskOptions } from './remote-task.ts'
export { attachTask, startTask, type HandleOf } from './start-task.ts'
export { TaskError } from '../protocol/task-error.ts'
export type { TaskHandle, WaitOptions } from '../protocol/task-handle.ts'
export type { TaskEvent, TaskLog, TaskPage, TaskRecord, TaskStatus } from '../protocol/task.ts'
