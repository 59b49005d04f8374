/**
 * Follows tasks that are watched here, wherever they run: what the queue tells of them is read anew and handed to the
 * hub once per change.
 */
import type { EngineEvent, Submitted, TaskEngine } from '../../engine.ts'
import type { Report } from '../../store.ts'
import type { StoredTask } from '../../stored-task.ts'
import { isFinished } from '../../../protocol/task.ts'
import type { NewEvent } from '../channel.ts'
import { EventHub, type WatchOptions } from '../event-hub.ts'

/** What it works with. */
export interface WatchingParts {
  readonly get: TaskEngine['get']
  /** A task that runs here, as it is now: newer than any record. */
  readonly running: (id: string) => StoredTask | undefined
  readonly report: Report
}

/** Milliseconds between looks at everything watched, should the line be down and nobody know it. */
const LOOK_EVERY = 5000

/** Milliseconds in which whoever starts a task begins to wait for it. */
const SOON = 20

/** A task that is or was watched and has not ended, as this host knows it. */
interface Followed {
  latest: StoredTask | undefined
  watchers: number
  reading: Promise<void> | undefined
  isStale: boolean
  /** Watchers were told of a gap: whatever is read next tells them where they are. */
  isBehindGap: boolean
  /** Started here a moment ago, and followed since: whoever waits for its end need not read it. */
  isFresh: boolean
  wasJoined: boolean
  /** Who waits for its end. */
  readonly waiting: Set<(end: StoredTask | undefined) => void>
}

/** Whether nothing happened between two records but progress, of which watchers hear by itself. */
const isSameState = (a: StoredTask, b: StoredTask): boolean =>
  a.status === b.status &&
  a.attempt === b.attempt &&
  a.attempts.length === b.attempts.length &&
  a.cancelRequested === b.cancelRequested &&
  a.runAt === b.runAt

/** One look for all watchers of a task. */
export class Watching {
  readonly #parts: WatchingParts
  readonly #hub = new EventHub()
  /** Stays until the task ends: a watcher that comes back goes on where it was. */
  readonly #followed = new Map<string, Followed>()
  /** Tasks that were started here a moment ago, and for which nobody may ever wait. */
  #fresh: [string, Followed][] = []
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: WatchingParts) {
    this.#parts = parts
  }

  async *watch(id: string, options: WatchOptions): AsyncGenerator<EngineEvent, void> {
    const followed = this.#join(id)
    try {
      const task = await this.#find(id, followed)
      if (task) yield* this.#hub.watch(task, options)
    } finally {
      this.#quit(id, followed)
    }
  }

  /** The task once it has ended; undefined for an unknown one, and where nobody waits or watches any more. */
  async ended(id: string, signal: AbortSignal): Promise<StoredTask | undefined> {
    const followed = this.#join(id)
    try {
      const fresh = followed.isFresh ? followed.latest : undefined
      const task = fresh ?? (await this.#find(id, followed))
      return !task || isFinished(task.status) ? task : await this.#end(followed, signal)
    } finally {
      this.#quit(id, followed)
    }
  }

  /**
   * A task is being written for the first time: what happens to it is followed from now on, so that whoever waits for its
   * end within a moment need not read it first. Forgets it again, if it was not written.
   */
  async expect<T extends Submitted>(task: StoredTask, write: () => Promise<T>): Promise<T> {
    const followed = this.#follow(task.id)
    followed.latest ??= task
    let isFresh = false
    try {
      const result = await write()
      isFresh = result.kind === 'created'
      return result
    } finally {
      if (isFresh) this.#refresh(task.id, followed)
      else if (!followed.wasJoined) this.#followed.delete(task.id)
    }
  }

  /** A task changed, so far as anybody knows. */
  changed(id: string, renew?: (known: StoredTask) => StoredTask): void {
    const followed = this.#followed.get(id)
    if (!followed) return
    const { latest } = followed
    // Nothing more happens to it but a retry by hand, and whoever watches that looks anew.
    if (latest && isFinished(latest.status) && !followed.isBehindGap) return
    if (latest && renew) return this.#learn(id, followed, renew(latest))
    followed.isStale = true
    followed.reading ??= this.#read(id, followed)
  }

  /** Something happened that changes no record. */
  tell(id: string, event: NewEvent): void {
    if (this.#followed.has(id)) this.#hub.emit(id, event)
  }

  /** Nothing was heard for a while. */
  missed(): void {
    for (const [id, followed] of this.#followed) {
      this.#hub.emit(id, { type: 'gap' })
      followed.isBehindGap = true
      this.changed(id)
    }
  }

  /** Whatever is watched may have changed. */
  look(): void {
    for (const [id, { watchers }] of this.#followed) if (watchers > 0) this.changed(id)
  }

  /** A task is queued again or forgotten. */
  forget(id: string): void {
    this.#hub.forget(id)
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#hub.close()
    for (const { waiting } of this.#followed.values()) for (const give of waiting) give(undefined)
    this.#followed.clear()
  }

  /** What can't be read because everything is closed ends its watch with it. */
  #failed(error: unknown): undefined {
    if (!this.#isClosed) throw error
  }

  #join(id: string): Followed {
    const followed = this.#follow(id)
    followed.watchers += 1
    followed.wasJoined = true
    this.#timer ??= setInterval(() => this.look(), LOOK_EVERY).unref()
    return followed
  }

  /** As it is now. Followed first, then read: a change that comes between is not lost. */
  async #find(id: string, followed: Followed): Promise<StoredTask | undefined> {
    const running = this.#parts.running(id)
    const read = running ?? (await this.#parts.get(id).catch((error: unknown) => this.#failed(error)))
    if (!read) return undefined
    this.#learn(id, followed, read)
    return followed.latest ?? read
  }

  /** Not by an iterator: most of those who start a task wait for its end, and for nothing else. */
  async #end({ waiting }: Followed, signal: AbortSignal): Promise<StoredTask | undefined> {
    if (this.#isClosed || signal.aborted) return undefined
    const { promise, resolve } = Promise.withResolvers<StoredTask | undefined>()
    const giveUp = (): void => resolve(undefined)
    signal.addEventListener('abort', giveUp)
    waiting.add(resolve)
    const end = await promise
    waiting.delete(resolve)
    signal.removeEventListener('abort', giveUp)
    return end
  }

  #quit(id: string, followed: Followed): void {
    followed.watchers -= 1
    this.#leave(id, followed)
  }

  #follow(id: string): Followed {
    const known = this.#followed.get(id)
    if (known) return known
    const followed = {
      latest: undefined,
      watchers: 0,
      reading: undefined,
      isStale: false,
      isBehindGap: false,
      isFresh: false,
      wasJoined: false,
      waiting: new Set<never>(),
    }
    this.#followed.set(id, followed)
    return followed
  }

  #refresh(id: string, followed: Followed): void {
    followed.isFresh = true
    if (this.#fresh.push([id, followed]) === 1) setTimeout(() => this.#age(), SOON)
  }

  /** Those for which nobody came are followed no more. */
  #age(): void {
    for (const [id, followed] of this.#fresh) {
      followed.isFresh = false
      if (!followed.wasJoined && this.#followed.get(id) === followed) this.#followed.delete(id)
    }
    this.#fresh = []
  }

  #leave(id: string, { watchers, latest }: Followed): void {
    if (watchers === 0 && (!latest || isFinished(latest.status))) this.#followed.delete(id)
  }

  /** Never rejects. */
  async #read(id: string, followed: Followed): Promise<void> {
    while (followed.isStale) {
      followed.isStale = false
      try {
        const task = await this.#parts.get(id)
        if (task) this.#learn(id, followed, task)
      } catch (error) {
        this.#parts.report(`Watched task ${id} could not be read, and is looked at again`, error)
      }
    }
    followed.reading = undefined
  }

  #learn(id: string, followed: Followed, task: StoredTask): void {
    const { latest, isBehindGap } = followed
    if (latest && latest.revision >= task.revision && !isBehindGap) return
    followed.latest = task
    followed.isBehindGap = false
    if (latest && (isBehindGap || !isSameState(latest, task))) this.#hub.changed(task)
    if (isFinished(task.status)) for (const give of followed.waiting) give(task)
    this.#leave(id, followed)
  }
}
