/** How many attempts are out, of each procedure and on each kind of executor, against how many may be. */
import type { EngineHost, TaskPolicy } from '../engine.ts'
import { LookAhead, type Out } from './look-ahead.ts'

type Where = Pick<TaskPolicy, 'runOn' | 'concurrency'>

/** A taken slot. */
export interface Slot {
  readonly procedure: string
  readonly policy: TaskPolicy
  /** Set once its attempt is handed to the executor. */
  out?: Out
}

/** Everything on one kind of executor. */
class Lane {
  readonly lookAhead: LookAhead
  taken = 0
  constructor(reach: number) {
    this.lookAhead = new LookAhead(reach)
  }
}

/** Workers take short tasks in small batches; on the event loop everything begins at once. */
const WORKER_REACH = 64

/** Counts what is out against what may be. */
export class Slots {
  readonly #limit: EngineHost['slots']
  readonly #lanes = {
    threads: new Lane(WORKER_REACH),
    processes: new Lane(WORKER_REACH),
    inline: new Lane(0),
  }
  readonly #byProcedure = new Map<string, number>()

  constructor(limit: EngineHost['slots']) {
    this.#limit = limit
  }

  /** Whether one more attempt of a procedure may be handed out. */
  isFree(procedure: string, { runOn, concurrency }: Where): boolean {
    const { taken, lookAhead } = this.#lanes[runOn]
    const limit = this.#limit(runOn)
    if ((this.#byProcedure.get(procedure) ?? 0) >= concurrency) return false
    return taken < limit || taken < limit + lookAhead.beyond(limit, performance.now())
  }

  take(procedure: string, policy: TaskPolicy): Slot {
    this.#lanes[policy.runOn].taken += 1
    this.#byProcedure.set(procedure, (this.#byProcedure.get(procedure) ?? 0) + 1)
    return { procedure, policy }
  }

  /** Its attempt is handed to the executor. */
  begin(slot: Slot): void {
    slot.out = this.#lanes[slot.policy.runOn].lookAhead.begin(performance.now())
  }

  release(slot: Slot): void {
    const lane = this.#lanes[slot.policy.runOn]
    lane.taken -= 1
    if (slot.out) lane.lookAhead.end(slot.out, performance.now())
    const left = (this.#byProcedure.get(slot.procedure) ?? 1) - 1
    if (left === 0) this.#byProcedure.delete(slot.procedure)
    else this.#byProcedure.set(slot.procedure, left)
  }
}
