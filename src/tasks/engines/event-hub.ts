/**
 * Who watches which task. Nothing is kept of a task that nobody watched; no timers, no polling.
 *
 * Not in it: where the present state comes from (engine).
 */
import { randomBytes } from 'node:crypto'
import { isFinished } from '../../protocol/task.ts'
import type { EngineEvent } from '../engine.ts'
import type { StoredTask } from '../stored-task.ts'
import { Channel, type NewEvent } from './channel.ts'
import { Follower } from './follower.ts'

/** Where a watcher begins. */
export interface WatchOptions {
  readonly after?: string
  readonly signal: AbortSignal
}

/** How many events of ended tasks are remembered for watchers that were away at the end. */
const REMEMBERED = 10_000

/** Hands the events of tasks to their watchers. */
export class EventHub {
  /** Differs in each process. */
  readonly #boot = randomBytes(4).toString('hex')
  readonly #live = new Map<string, Channel>()
  /** Channels of ended tasks, oldest first. */
  readonly #ended = new Map<string, Channel>()
  /** Ends that somebody waits for. */
  readonly #awaited = new Map<string, PromiseWithResolvers<StoredTask | undefined>>()
  #remembered = 0
  #count = 0
  #closed = false

  /** How many watch a live task now. */
  get watchers(): number {
    return [...this.#live.values()].reduce((sum, { watchers }) => sum + watchers, 0)
  }

  /** Something happened to a task, which now is so, as far as it is known. */
  emit(id: string, event: NewEvent, task?: StoredTask): void {
    this.#live.get(id)?.emit(event, task)
  }

  /** The task changed; an ended one takes its channel's last event. */
  changed(task: StoredTask): void {
    if (isFinished(task.status)) this.#tellEnd(task)
    const channel = this.#live.get(task.id)
    if (!channel) return
    if (!isFinished(task.status)) return channel.emit({ type: 'state', task })
    channel.end(done(task), task)
    this.#live.delete(task.id)
    this.#remember(task.id, channel)
  }

  /** Begins anew for a task that is queued again or forgotten. */
  forget(id: string): void {
    this.#remembered -= this.#ended.get(id)?.size ?? 0
    this.#ended.delete(id)
  }

  /** Ends all watching; who comes later gets the present state. */
  close(): void {
    this.#closed = true
    for (const channel of this.#live.values()) channel.close()
    for (const awaited of this.#awaited.values()) awaited.resolve(undefined)
    this.#awaited.clear()
    this.#live.clear()
    this.#ended.clear()
  }

  /** What happens to a task whose present state this is. */
  watch(task: StoredTask, options: WatchOptions): Follower {
    return isFinished(task.status) ? this.#watchEnded(task, options) : this.#watchLive(task, options)
  }

  /** The end of a live task; undefined when all watching ends first. */
  ended(id: string): Promise<StoredTask | undefined> {
    const known = this.#awaited.get(id)
    if (known) return known.promise
    const awaited = Promise.withResolvers<StoredTask | undefined>()
    this.#awaited.set(id, awaited)
    return awaited.promise
  }

  #tellEnd(task: StoredTask): void {
    this.#awaited.get(task.id)?.resolve(task)
    this.#awaited.delete(task.id)
  }

  #watchLive(task: StoredTask, { after, signal }: WatchOptions): Follower {
    const channel = this.#channel(task)
    const seen = after === undefined ? undefined : channel.numberOf(after)
    if (seen !== undefined) return new Follower([], signal, { channel, seen })
    const { last } = channel
    const state: EngineEvent = { type: 'state', task, seq: channel.seqOf(last) }
    const first = after === undefined ? [state] : channel.gapUntil(last, task)
    return new Follower(first, signal, { channel, seen: last })
  }

  #watchEnded(task: StoredTask, { after, signal }: WatchOptions): Follower {
    const last = done(task)
    const state: EngineEvent = { type: 'state', task, seq: `${task.revision}.state` }
    if (after === undefined) return new Follower([state, last], signal)
    if (after === last.seq) return new Follower([], signal)
    if (after === state.seq) return new Follower([last], signal)
    const channel = this.#ended.get(task.id)
    const seen = channel?.numberOf(after)
    if (channel && seen !== undefined) return new Follower([], signal, { channel, seen })
    return new Follower([{ type: 'gap', seq: `${task.revision}.gap` }, state, last], signal)
  }

  #channel(task: StoredTask): Channel {
    const known = this.#live.get(task.id)
    if (known) return known
    const channel = new Channel(`${this.#boot}-${(this.#count++).toString(36)}`, task)
    if (this.#closed) channel.close()
    else this.#live.set(task.id, channel)
    return channel
  }

  #remember(id: string, channel: Channel): void {
    this.#ended.set(id, channel)
    this.#remembered += channel.size
    for (const oldest of this.#ended.keys()) {
      if (this.#remembered <= REMEMBERED) return
      this.forget(oldest)
    }
  }
}

/** Its `seq` is the same in every process: to resume after it gives nothing. */
const done = (task: StoredTask): EngineEvent => ({ type: 'done', task, seq: `${task.revision}.done` })
