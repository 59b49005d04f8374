/**
 * The store port of the local engine: keeps the records of one process's tasks, each under its id.
 *
 * Not in it: which task runs, indexes, filters, locks between hosts. The engine's memory is the index; the
 * store is only asked for everything once, at open, and for single ended tasks after that.
 */
import type { EngineCapabilities, EngineUnavailable } from './engine.ts'
import type { StoredTask } from './stored-task.ts'

/** What a store can do, as data. */
export type StoreCapabilities = Pick<EngineCapabilities, 'durable'>

/** Tells of something that no caller can be told. A warning says what may go wrong, an error what did. */
export type Report = (message: string, error?: unknown, level?: 'error' | 'warn') => void

/** Tells that another process has the store from now on. */
export type Lost = (reason: EngineUnavailable) => void

/**
 * Keeps task records. Methods reject with `EngineUnavailable` when the store fails or doesn't answer in time.
 */
export interface TaskStore {
  readonly name: string
  /** Known once it is open. */
  readonly capabilities: StoreCapabilities
  /**
   * Makes ready, and sees to it that no other process has it: by a lock where there is one, else as well as it can.
   * Calls `lost`, and refuses every write, when it learns that another process took over.
   * @throws EngineUnavailable when another process has it
   */
  open(report: Report, lost?: Lost): Promise<void>
  /**
   * Every readable record, in any order; a record may come twice. Unreadable ones are set aside and reported.
   */
  loadAll(): AsyncIterable<StoredTask>
  /** Resolves when the record is as durable as the capabilities say. Writes of one task keep their order. */
  put(task: StoredTask): Promise<void>
  /** Many at once. Rejects when any fails; the others may have been written. */
  putMany(tasks: readonly StoredTask[]): Promise<void>
  get(id: string): Promise<StoredTask | undefined>
  delete(id: string): Promise<void>
  /** Waits for what is being written, then lets go of files and connections. */
  close(): Promise<void>
}
