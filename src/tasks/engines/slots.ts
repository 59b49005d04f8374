/** How many attempts run, of each procedure and on each kind of executor. */
import type { EngineHost, TaskPolicy } from '../engine.ts'

type Where = Pick<TaskPolicy, 'runOn' | 'concurrency'>

/** Counts what runs against what may. */
export class Slots {
  readonly #limit: EngineHost['slots']
  readonly #running: Record<TaskPolicy['runOn'], number> = { threads: 0, processes: 0, inline: 0 }
  readonly #byProcedure = new Map<string, number>()

  constructor(limit: EngineHost['slots']) {
    this.#limit = limit
  }

  /** Whether one more attempt of a procedure may run. */
  isFree(procedure: string, { runOn, concurrency }: Where): boolean {
    return this.#running[runOn] < this.#limit(runOn) && (this.#byProcedure.get(procedure) ?? 0) < concurrency
  }

  take(procedure: string, { runOn }: Where): void {
    this.#running[runOn] += 1
    this.#byProcedure.set(procedure, (this.#byProcedure.get(procedure) ?? 0) + 1)
  }

  release(procedure: string, { runOn }: Where): void {
    this.#running[runOn] -= 1
    this.#byProcedure.set(procedure, (this.#byProcedure.get(procedure) ?? 1) - 1)
  }
}
