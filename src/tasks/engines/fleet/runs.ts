/**
 * The attempts that this host runs: each from its lease to the record of its end.
 *
 * Not in it: which tasks are taken (fetcher), how a handler is run (host).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineHost } from '../../engine.ts'
import type { Outcome } from '../../executor.ts'
import { cancelRequested, progressed, recovered } from '../../lifecycle.ts'
import type { StoredTask } from '../../stored-task.ts'
import { NotJson } from '../../stores/record-codec.ts'
import { Alarms } from '../alarms.ts'
import { afterAttempt, DRAINED, notJsonOutcome, runClaim } from '../attempt-end.ts'
import { createClaim, stopReason } from '../claim.ts'
import { Crew } from '../crew.ts'
import type { Slot } from '../slots.ts'
import { Leases } from './leases.ts'
import { Relay } from './relay.ts'
import type { Run } from './run.ts'
import type { SharedQueue, Taken } from './shared-queue.ts'
import type { Watching } from './watching.ts'

/** What it works with. */
export interface RunsParts {
  readonly host: EngineHost
  readonly queue: SharedQueue
  readonly watching: Watching
  /** An attempt has ended: its slot is free. */
  ended(slot: Slot): void
}

/** Milliseconds between tries to write how an attempt ended. */
const QUEUE_PAUSE = 1000

/** How long after its grace a drain waits for attempts that were told to stop. */
const LONGEST_LINGER = 2000

/** A request to stop may have raised the record's revision, unknown to whoever runs the task: what is written is above it. */
const aboveAll = (task: StoredTask): StoredTask => ({ ...task, revision: task.revision + 1 })

/** Lives from open to drain. */
export class Runs {
  readonly #parts: RunsParts
  readonly #running = new Map<string, Run>()
  readonly #crew: Crew
  readonly #leases: Leases
  readonly #relay: Relay
  readonly #deadlines: Alarms<Run>
  #stopped = false
  #gone = false

  constructor(parts: RunsParts) {
    const { clock } = parts.host
    this.#parts = parts
    this.#crew = new Crew(clock)
    this.#deadlines = new Alarms(clock, (run) => run.claim.stop.abort(stopReason('DEADLINE_EXCEEDED')))
    this.#relay = new Relay(parts.queue)
    this.#leases = new Leases({
      queue: parts.queue,
      report: (message, error) => parts.host.report(message, error),
      lost: (run) => this.#lose(run),
      stop: (run) => this.#stop(run),
    })
  }

  /** Whether a task runs here. */
  has(id: string): boolean {
    return this.#running.has(id)
  }

  /** A task that runs here, with what it said since it was written. Not one that ends: its record may say so by now. */
  taskOf(id: string): StoredTask | undefined {
    const run = this.#running.get(id)
    return run && !run.isLost && !run.isEnding ? run.task : undefined
  }

  /** Runs an attempt that was taken at `takenAt` (`performance.now`). */
  begin(taken: Taken, slot: Slot, takenAt: number): void {
    const { host, queue } = this.#parts
    const claim = createClaim(taken.task, slot.policy, {
      progress: (progress) => this.#progress(run, progress),
      log: (log) =>
        this.#isRunning(run) && (this.#tell(run, { type: 'log', log }), this.#relay.log(run, log)),
      report: (message, error) => host.report(message, error),
    })
    const heldUntil = takenAt + queue.lease
    const run: Run = {
      taken,
      claim,
      slot,
      task: taken.task,
      heldUntil,
      isLost: false,
      isEnding: false,
      alarm: undefined,
    }
    this.#running.set(taken.task.id, run)
    this.#leases.add(run)
    this.#crew.join()
    const { deadlineAt } = taken.task
    if (deadlineAt !== undefined) run.alarm = this.#deadlines.set(run, deadlineAt)
    void this.#run(run)
  }

  /** Somebody asked the task to stop; nothing happens when it does not run here, or is at another attempt by now. */
  stop(id: string, attempt?: number): void {
    const run = this.#running.get(id)
    if (run && (attempt ?? run.claim.attempt) === run.claim.attempt) this.#stop(run)
  }

  /** Begins nothing more: what is taken from now on is given back. */
  refuse(): void {
    this.#stopped = true
  }

  /** Waits so many ms for what runs, then tells it to stop and gives back what does not. */
  async drain(grace: number): Promise<void> {
    if (!(await this.#crew.gone(grace))) {
      const linger = this.#tellToStop()
      if (!(await this.#crew.gone(linger))) await this.#giveBack()
    }
    this.#gone = true
    for (const run of this.#running.values()) this.#forget(run)
  }

  /** Sees an attempt through. Never rejects. */
  async #run(run: Run): Promise<void> {
    const { host, ended } = this.#parts
    // A drain began while the task was being taken.
    const outcome: Outcome = this.#stopped ? { kind: 'returned' } : await runClaim(host, run.claim)
    run.isEnding = true
    ended(run.slot)
    await this.#relay.finish(run)
    await this.#settle(run, outcome)
    this.#forget(run)
    this.#crew.leave()
  }

  /** Writes how it ended, again and again while the queue can't be reached: it did end. */
  async #settle(run: Run, outcome: Outcome): Promise<void> {
    while (!this.#gone && !run.isLost)
      try {
        await this.#write(run, () => this.#after(run, outcome))
        return
      } catch (error) {
        if (error instanceof NotJson) return this.#settle(run, notJsonOutcome(error))
        this.#parts.host.report(
          `How task ${run.task.id} ended could not be written, and is tried again`,
          error,
        )
        await sleep(QUEUE_PAUSE)
      }
  }

  #after({ task, claim }: Run, outcome: Outcome): StoredTask {
    return afterAttempt(task, claim, outcome, this.#parts.host.clock.now())
  }

  /** An end that came of not knowing that the task is to stop is found anew: it may be another one. */
  async #write(run: Run, end: () => StoredTask): Promise<void> {
    const next = aboveAll(end())
    const settled = await this.#parts.queue.settle(run.taken, next)
    if (settled === 'stop') {
      run.task = cancelRequested(run.task)
      return this.#write(run, end)
    }
    run.isLost ||= !settled
    if (settled) this.#parts.host.changed?.(run.task, next)
    // A lost one may have been written all the same, by a try whose answer was lost.
    this.#parts.watching.changed(next.id, settled ? () => next : undefined)
  }

  #progress(run: Run, progress: unknown): void {
    if (!this.#isRunning(run)) return
    run.task = progressed(run.task, run.claim.attempt, progress)
    this.#tell(run, { type: 'progress', progress })
    this.#relay.progress(run, progress)
  }

  #tell(run: Run, event: Parameters<Watching['tell']>[1]): void {
    this.#parts.watching.tell(run.task.id, event)
  }

  #isRunning(run: Run): boolean {
    return !run.isLost && this.#running.get(run.task.id) === run
  }

  #stop(run: Run): void {
    run.task = cancelRequested(run.task)
    run.claim.stop.abort(stopReason('Cancelled'))
  }

  #lose(run: Run): void {
    run.isLost = true
    run.claim.stop.abort(stopReason('LeaseLost'))
    this.#parts.host.report(
      `Task ${run.task.id} (${run.task.procedure}) is no longer this process's: its lease of ` +
        `${this.#parts.queue.lease} ms was not renewed in time. What attempt ${run.claim.attempt} ends with is dropped`,
    )
    this.#leases.remove(run)
  }

  #forget(run: Run): void {
    this.#leases.remove(run)
    if (run.alarm) this.#deadlines.cancel(run.alarm)
    // It may run here again by now.
    if (this.#running.get(run.task.id) === run) this.#running.delete(run.task.id)
  }

  /** How long to wait for those who were told. */
  #tellToStop(): number {
    const runs = [...this.#running.values()]
    for (const { claim } of runs) {
      claim.givenBack = true
      claim.stop.abort(stopReason('Draining'))
    }
    return Math.min(LONGEST_LINGER, Math.max(0, ...runs.map(({ claim }) => claim.policy.cancelGrace)))
  }

  async #giveBack(): Promise<void> {
    this.#gone = true
    const left = [...this.#running.values()].filter(({ isLost }) => !isLost)
    const written = await Promise.allSettled(left.map((run) => this.#write(run, () => this.#lost(run))))
    const failed = written.find((result) => result.status === 'rejected')
    if (failed)
      this.#parts.host.report(
        'Running tasks could not be given back; others take them when their leases end',
        failed.reason,
      )
  }

  #lost({ task, claim }: Run): StoredTask {
    return recovered(task, { now: Date.now(), rules: claim.policy, reason: DRAINED })
  }
}
