/** One place where records lie, and what cases do with a store over it. */
import type { TaskStore } from '../../../tasks/store.ts'
import type { StoredTask } from '../../../tasks/stored-task.ts'
import type { Cases } from '../cases.ts'

/** Where records lie, as the author of a store describes it. */
export interface StorePlace {
  /** A store over what is there, not yet open. */
  create(): TaskStore | Promise<TaskStore>
  /** Puts a text where the record of a task should be, behind the store's back. The store is closed. */
  write(id: string, text: string): Promise<void>
  /** Reads what was set aside of such a text. The store is closed. */
  readAside(id: string): Promise<string | undefined>
  dispose(): Promise<void> | void
}

/** The store of one case. */
export class StoreBench {
  readonly place: StorePlace
  store!: TaskStore
  reports: string[] = []

  constructor(place: StorePlace) {
    this.place = place
  }

  async open(): Promise<void> {
    this.reports = []
    this.store = await this.place.create()
    await this.store.open((message) => this.reports.push(message))
  }

  async reopen(): Promise<void> {
    await this.store.close()
    await this.open()
  }

  async loadAll(): Promise<Map<string, StoredTask>> {
    const all = new Map<string, StoredTask>()
    for await (const task of this.store.loadAll()) all.set(task.id, task)
    return all
  }

  async dispose(): Promise<void> {
    await this.store.close()
    await this.place.dispose()
  }
}

/** Cases of a store. */
export type StoreCases = Cases<StoreBench>
