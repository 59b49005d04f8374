/** A writer that begins on the event loop and moves into a thread when the disk proves slow. */
import type { Report } from '../../store.ts'
import type { Write, WriteResult } from '../group-commit.ts'
import type { Writer } from './writer.ts'

/** A commit may keep the event loop waiting for so long, in ms. */
const FAIR_WAIT = 2

/** Waits beyond that, less what others stayed below it, add up to so many ms before the writer moves. */
const PATIENCE = 100

/** Where it can write. */
export interface Places {
  inline(): Promise<Writer>
  thread(): Promise<Writer>
  readonly report: Report
}

/**
 * A single stall, as of a checkpoint on a good disk, is made up for by the quick commits around it; a disk that
 * is slow each time is left after a few. There is no way back: the thread costs little.
 */
export class MovingWriter implements Writer {
  readonly #places: Places
  #place: 'inline' | 'thread' = 'inline'
  #mayMove = true
  #overdue = 0
  /** None while it moves, and when the next place could not be opened: then the next commit tries again. */
  #writer: Writer | undefined

  constructor(places: Places) {
    this.#places = places
  }

  async open(): Promise<this> {
    this.#writer = await this.#open()
    return this
  }

  async commit(writes: readonly Write[]): Promise<readonly WriteResult[]> {
    if (this.#mayMove && this.#overdue >= PATIENCE) await this.#move()
    this.#writer ??= await this.#open()
    const results = await this.#writer.commit(writes)
    this.#overdue = Math.max(0, this.#overdue + (this.#writer.waited ?? 0) - FAIR_WAIT)
    return results
  }

  async close(): Promise<void> {
    await this.#writer?.close()
  }

  /** Between two commits, so that their order is kept and there are never two writers. */
  async #move(): Promise<void> {
    const left = this.#writer
    this.#writer = undefined
    this.#place = 'thread'
    this.#mayMove = false
    await left?.close()
  }

  async #open(): Promise<Writer> {
    if (this.#place === 'inline') return this.#places.inline()
    try {
      return await this.#places.thread()
    } catch (error) {
      this.#place = 'inline'
      this.#places.report(
        'The disk is slow, and no thread could be started to wait for it: the event loop will',
        error,
      )
      return this.#places.inline()
    }
  }
}
