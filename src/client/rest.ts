/** Errand beside a generated REST client, browsers included: task handles and typed errors, without tRPC. */
export { errorOf, type ErrorOf } from './errors.ts'
export { restTask, type RestTask, type RestTaskName, type RestTaskOptions } from './rest-task.ts'
export type { RemoteTask, StartTaskOptions } from './remote-task.ts'
export { attachTask, startTask, type HandleOf } from './start-task.ts'
export { TaskError } from '../protocol/task-error.ts'
export type { TaskHandle, WaitOptions } from '../protocol/task-handle.ts'
export type { TaskEvent, TaskLog, TaskRecord, TaskStatus } from '../protocol/task.ts'
