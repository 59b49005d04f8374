/**
 * Decides which task runs next and sees each attempt through: claim, run, outcome. Lives from open to drain.
 *
 * Not in it: the records themselves (ledger), how a handler is run (host).
 */
import { sleep, type Clock } from '../clock.ts'
import type { EngineHost, TaskPolicy } from '../engine.ts'
import type { Outcome } from '../executor.ts'
import { expired, progressed, recovered, started } from '../lifecycle.ts'
import type { StoredTask } from '../stored-task.ts'
import { NotJson } from '../stores/record-codec.ts'
import { afterAttempt, DRAINED, notJsonOutcome, runClaim } from './attempt-end.ts'
import { createClaim, stopReason, type ActiveClaim } from './claim.ts'
import { Crew } from './crew.ts'
import type { Entry, Live } from './entry.ts'
import type { EventHub } from './event-hub.ts'
import type { Ledger } from './ledger.ts'
import { Pause, STORE_PAUSE } from './pause.ts'
import { rulesOf } from './rules.ts'
import { Slots, type Slot } from './slots.ts'
import { tellToStop } from './tell-to-stop.ts'
import { WaitingRoom } from './waiting-room.ts'

/** What it works with. */
export interface DispatcherParts {
  readonly host: EngineHost
  readonly ledger: Ledger
  readonly hub: EventHub
}

/** How long a task rests that its executor gave back. */
const GIVEN_BACK_PAUSE = 10

/** Runs tasks while there are slots for them. */
export class Dispatcher {
  readonly #clock: Clock
  readonly #host: EngineHost
  readonly #ledger: Ledger
  readonly #hub: EventHub
  readonly #slots: Slots
  readonly #crew: Crew
  readonly #waiting: WaitingRoom
  readonly #pause: Pause
  #procedures: ReadonlySet<string> = new Set()
  #isPumpDue = false
  #stopped = false
  #gone = false

  constructor({ host, ledger, hub }: DispatcherParts) {
    this.#clock = host.clock
    this.#host = host
    this.#ledger = ledger
    this.#hub = hub
    this.#slots = new Slots((runOn) => host.slots(runOn))
    this.#crew = new Crew(host.clock)
    this.#waiting = new WaitingRoom(host.clock, (entry) => this.#due(entry))
    this.#pause = new Pause(
      host.clock,
      (...told) => host.report(...told),
      () => this.#pump(),
    )
  }

  /** Takes tasks of an earlier process, oldest first. */
  resume(entries: readonly Entry[]): void {
    for (const entry of entries) this.#waiting.add(entry)
  }

  /** Begins to run tasks of these procedures. */
  work(procedures: readonly string[]): void {
    this.#procedures = new Set(procedures)
    this.#pump()
  }

  /** Lets a queued task run when it may. */
  schedule(entry: Entry): void {
    if (this.#gone) return
    this.#waiting.add(entry)
    this.#pump()
  }

  /** Takes back a task that has ended. */
  withdraw(live: Live): void {
    this.#waiting.remove(live)
  }

  /**
   * Takes a slot for a task that is about to be written, if it could run at once: it is then written as
   * running, one write instead of two. Whoever gets a slot calls `begin` or `release`.
   */
  takeSlot({ procedure, runAt = 0, deadlineAt = Infinity }: StoredTask, now: number): Slot | undefined {
    const isDue = runAt <= now && deadlineAt > now
    if (!isDue || this.#isResting || !this.#waiting.isEmpty(procedure)) return undefined
    const policy = this.#policy(procedure)
    return policy && this.#slots.isFree(procedure, policy) ? this.#take(procedure, policy) : undefined
  }

  /** Gives a slot back that was taken for nothing. */
  release(slot: Slot): void {
    this.#crew.leave()
    this.#free(slot)
  }

  /** Runs the attempt that the record says is running. */
  begin(entry: Entry, slot: Slot): void {
    const { live } = entry
    if (!live) return this.release(slot)
    const claim = createClaim(live.task, slot.policy, {
      progress: (progress) => this.#progress(entry, claim, progress),
      log: (log) => live.claim === claim && this.#hub.emit(entry.id, { type: 'log', log }),
      report: (message, error) => this.#host.report(message, error),
    })
    live.claim = claim
    this.#waiting.ringAt(entry, live.task.deadlineAt ?? Infinity)
    // The cancel may have been written before there was anything to tell.
    if (live.task.cancelRequested) claim.stop.abort(stopReason('Cancelled'))
    void this.#run(entry, live, claim, slot)
  }

  /** Claims and writes no more, and tells what runs to stop: somebody else has the tasks. */
  abandon(): void {
    this.#stopped = this.#gone = true
    this.#pause.stop()
    this.#waiting.stop()
    tellToStop(this.#ledger.index.live())
  }

  /** Claims no more, waits so many ms for what runs, then tells it to stop and gives back what does not. */
  async drain(grace: number): Promise<void> {
    if (this.#gone) return
    this.#stopped = true
    this.#pause.stop()
    if (!(await this.#crew.gone(grace))) {
      const linger = tellToStop(this.#ledger.index.live())
      if (!(await this.#crew.gone(linger))) await this.#giveBack()
    }
    this.#gone = true
    this.#waiting.stop()
  }

  #take(procedure: string, policy: TaskPolicy): Slot {
    this.#crew.join()
    return this.#slots.take(procedure, policy)
  }

  #free(slot: Slot): void {
    this.#slots.release(slot)
    this.#pump()
  }

  get #isResting(): boolean {
    return this.#stopped || this.#pause.isOn
  }

  /** Something is due: a task's `runAt`, or its deadline. */
  #due(entry: Entry): void {
    const { live } = entry
    if (live?.claim) live.claim.stop.abort(stopReason('DEADLINE_EXCEEDED'))
    else if ((live?.task.deadlineAt ?? Infinity) <= this.#clock.now()) void this.#expire(entry)
    else {
      this.#waiting.add(entry)
      this.#pumpSoon()
    }
  }

  /** When all that is due at this moment is in line: the most urgent goes first. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    queueMicrotask(() => {
      this.#isPumpDue = false
      this.#pump()
    })
  }

  async #expire(entry: Entry): Promise<void> {
    const { live } = entry
    try {
      const { keep } = rulesOf(this.#host, entry.procedure)
      await this.#ledger.change(entry, (task) =>
        task.status === 'queued' ? expired(task, this.#clock.now(), keep) : task,
      )
      if (live && !entry.live) this.withdraw(live)
    } catch (error) {
      this.#pause.begin(`Task ${entry.id} is past its deadline, which could not be written`, error)
      if (!this.#gone) this.#waiting.ringAt(entry, this.#clock.now() + STORE_PAUSE)
    }
  }

  #pump(): void {
    while (!this.#isResting) {
      const entry = this.#waiting.take((procedure) => this.#mayRun(procedure))
      if (!entry) return
      void this.#claim(entry)
    }
  }

  #mayRun(procedure: string): boolean {
    const policy = this.#policy(procedure)
    return policy !== undefined && this.#slots.isFree(procedure, policy)
  }

  /** How tasks of a procedure are run here; undefined when they are not. */
  #policy(procedure: string): TaskPolicy | undefined {
    return this.#procedures.has(procedure) ? this.#host.policy(procedure) : undefined
  }

  /** Writes that an attempt begins, then begins it. Never rejects. */
  async #claim(entry: Entry): Promise<void> {
    // `#mayRun` has just seen it.
    const slot = this.#take(entry.procedure, this.#host.policy(entry.procedure) as TaskPolicy)
    try {
      const begun = await this.#start(entry)
      this.#pause.recovered()
      if (begun) return this.begin(entry, slot)
    } catch (error) {
      this.#pause.begin('No task can be claimed', error)
      this.#waiting.add(entry)
    }
    this.release(slot)
  }

  /**
   * Whether its attempt now runs: it may have been cancelled while it waited for its turn, or be too late.
   */
  async #start(entry: Entry): Promise<boolean> {
    let begun = false
    await this.#ledger.change(entry, (task) => {
      const now = this.#clock.now()
      begun = task.status === 'queued' && (task.deadlineAt ?? Infinity) > now
      return begun ? started(task, now) : task
    })
    if (!begun && entry.live?.task.status === 'queued') void this.#expire(entry)
    return begun
  }

  /** Sees an attempt through to the record of its end. Never rejects. */
  async #run(entry: Entry, live: Live, claim: ActiveClaim, slot: Slot): Promise<void> {
    this.#slots.begin(slot)
    const outcome = await this.#outcomeOf(claim)
    live.claim = undefined
    // The worker is free again: what it takes next is written together with how this one ended.
    this.#free(slot)
    await this.#settle(entry, claim, outcome)
    this.withdraw(live)
    // An executor that gives everything back must not keep the store busy with it.
    if (outcome.kind === 'returned' && !this.#stopped) await sleep(this.#clock, GIVEN_BACK_PAUSE)
    if (entry.live?.task.status === 'queued') this.schedule(entry)
    this.#crew.leave()
  }

  #outcomeOf(claim: ActiveClaim): Outcome | Promise<Outcome> {
    // A drain began while the claim was being written.
    return this.#stopped ? { kind: 'returned' } : runClaim(this.#host, claim)
  }

  /** Writes how an attempt ended, again and again while the store fails: it did end. */
  async #settle(entry: Entry, claim: ActiveClaim, outcome: Outcome): Promise<void> {
    while (!this.#gone)
      try {
        await this.#ledger.change(entry, (task) => afterAttempt(task, claim, outcome, this.#clock.now()))
        this.#pause.recovered()
        return
      } catch (error) {
        if (error instanceof NotJson) return this.#settle(entry, claim, notJsonOutcome(error))
        this.#pause.begin(`How task ${entry.id} ended could not be written, and is tried again`, error)
        await sleep(this.#clock, STORE_PAUSE)
      }
  }

  #progress({ live }: Entry, claim: ActiveClaim, progress: unknown): void {
    if (live?.claim !== claim) return
    live.task = progressed(live.task, claim.attempt, progress)
    this.#hub.emit(live.task.id, { type: 'progress', progress }, live.task)
  }

  async #giveBack(): Promise<void> {
    const left = this.#ledger.index.live().filter(({ status }) => status === 'running')
    this.#gone = true
    try {
      await Promise.all(left.map((entry) => this.#ledger.change(entry, (task) => this.#lost(task))))
    } catch (error) {
      this.#host.report('Running tasks could not be given back; the next start will find them lost', error)
    }
  }

  #lost(task: StoredTask): StoredTask {
    if (task.status !== 'running') return task
    return recovered(task, {
      now: this.#clock.now(),
      rules: rulesOf(this.#host, task.procedure),
      reason: DRAINED,
    })
  }
}
