/** What is to go wrong, said in advance. */
import { toMilliseconds, type Duration } from '../protocol/duration.ts'
import type { Named } from './call-log.ts'
import type { Records } from './memory-store.ts'

/** What happens to one call. */
export type Fault = { readonly kind: 'fail'; readonly error: Error } | { readonly kind: 'lose' }

/** What faults are made with. */
export interface FaultParts {
  readonly records: Records
  readonly pathOf: (procedure: Named) => string
  /** Ends the attempts that run, once all is at rest; says how many there were. */
  readonly loseRunning: (path: string) => Promise<number>
}

/** Makes things go wrong. */
export class Faults {
  readonly #parts: FaultParts
  readonly #next = new Map<string, Fault[]>()
  readonly #delays = new Map<string, number>()

  /** @internal */
  constructor(parts: FaultParts) {
    this.#parts = parts
  }

  /**
   * The next attempt, or plain call, of a procedure fails with this error, or the next so many with any; its handler is
   * not called. What is said again comes after that.
   *
   * @example app.faults.failNext(ship, 2) // fails twice, then runs
   * @example app.faults.failNext(order, new ProcedureError('CONFLICT', 'Taken'))
   */
  failNext(procedure: Named, what: Error | number = 1): void {
    const path = this.#parts.pathOf(procedure)
    const count = typeof what === 'number' ? what : 1
    const error = typeof what === 'number' ? new Error(`The test said that ${path} fails`) : what
    for (let n = 0; n < count; n += 1) this.#add(path, { kind: 'fail', error })
  }

  /**
   * The worker of a task dies: of each attempt that runs now, else of the next one, after its handler has run and before
   * anybody hears of it. Such an attempt ends as `WORKER_LOST`.
   *
   * @example await app.faults.loseWorker(ship)
   */
  async loseWorker(procedure: Named): Promise<void> {
    const path = this.#parts.pathOf(procedure)
    if ((await this.#parts.loseRunning(path)) === 0) this.#add(path, { kind: 'lose' })
  }

  /**
   * From now on every attempt and plain call of a procedure takes at least so long on the app's clock. `0` ends it.
   *
   * @example app.faults.slow(ship, '2m')
   */
  slow(procedure: Named, duration: Duration): void {
    this.#delays.set(this.#parts.pathOf(procedure), toMilliseconds(duration))
  }

  /**
   * Records can't be read or written: starts are refused with 503, and how attempts end is kept until it can be written.
   *
   * @example app.faults.storeDown()
   */
  storeDown(): void {
    this.#parts.records.isDown = true
  }

  /**
   * Records can be reached again. The engine looks again within a second of the app's clock.
   *
   * @example app.faults.storeUp(); await app.clock.advance('1s')
   */
  storeUp(): void {
    this.#parts.records.isDown = false
  }

  /** What is to happen to the call that begins now. @internal */
  take(path: string): Fault | undefined {
    return this.#next.get(path)?.shift()
  }

  /** How long a call takes at least. @internal */
  delayOf(path: string): number {
    return this.#delays.get(path) ?? 0
  }

  #add(path: string, fault: Fault): void {
    const list = this.#next.get(path) ?? []
    this.#next.set(path, list)
    list.push(fault)
  }
}
