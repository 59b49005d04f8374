/**
 * Takes tasks from the queue while there are slots for them.
 *
 * Asks only for procedures that the queue said have some, or that gave as many as were asked for last time; which of
 * them is asked first goes round. A host that mostly comes too late holds back a little (holding-back).
 */
import type { EngineHost, TaskPolicy } from '../../engine.ts'
import { rulesOf } from '../rules.ts'
import { Slots, type Slot } from '../slots.ts'
import { HoldingBack } from './holding-back.ts'
import type { SharedQueue, Taken } from './shared-queue.ts'

/** What it works with. */
export interface FetcherParts {
  readonly host: EngineHost
  readonly queue: Pick<SharedQueue, 'take'>
  /** Runs a taken task; gives its slot back when it has ended. */
  begin(taken: Taken, slot: Slot, takenAt: number): void
}

/** The most that one request takes. */
const MOST = 100

/** Milliseconds without requests after one failed. */
const PAUSE = 1000

/** Decides what to ask for. */
export class Fetcher {
  readonly #parts: FetcherParts
  readonly #slots: Slots
  #procedures: ReadonlySet<string> = new Set()
  /** Those of them that may have tasks, the one asked last at the end. */
  readonly #hopeful = new Set<string>()
  readonly #holdingBack = new HoldingBack()
  /** Those that will be hopeful in a moment. */
  readonly #heldBack = new Map<string, NodeJS.Timeout>()
  readonly #asking = new Map<string, Promise<void>>()
  /** Tasks that are submitted to begin here. */
  readonly #submitting = new Set<Promise<void>>()
  #pause: NodeJS.Timeout | undefined
  #stopped = false

  constructor(parts: FetcherParts) {
    this.#parts = parts
    this.#slots = new Slots((runOn) => parts.host.slots(runOn))
  }

  /** Asks for tasks of these procedures from now on. */
  work(procedures: readonly string[]): void {
    this.#procedures = new Set(procedures)
  }

  /** There may be tasks of a procedure. */
  available(procedure: string): void {
    if (!this.#procedures.has(procedure) || this.#heldBack.has(procedure)) return
    const delay = this.#holdingBack.delay(procedure)
    if (delay === 0) return this.#hope(procedure)
    const timer = setTimeout(() => {
      this.#heldBack.delete(procedure)
      this.#hope(procedure)
    }, delay)
    this.#heldBack.set(procedure, timer)
  }

  /** Whether a task that is started here can begin here: there is a slot, and none waits that would come before it. */
  hasRoom(procedure: string): boolean {
    const policy = this.#procedures.has(procedure) ? this.#parts.host.policy(procedure) : undefined
    return (
      policy !== undefined &&
      !this.#stopped &&
      !this.#mayWait(procedure) &&
      this.#slots.isFree(procedure, policy)
    )
  }

  /** Holds a slot for a task while it is submitted, and begins it if that took it. Only where there is room. */
  async begin<T extends { readonly taken?: Taken }>(procedure: string, submit: () => Promise<T>): Promise<T> {
    const slot = this.#slots.take(procedure, this.#parts.host.policy(procedure) as TaskPolicy)
    const takenAt = performance.now()
    const submitting = submit()
    const settled = submitting.then(
      ({ taken }) => (taken ? this.#begin(taken, slot, takenAt) : this.release(slot)),
      () => this.release(slot), // Whoever starts the task hears of it.
    )
    this.#submitting.add(settled)
    await settled
    this.#submitting.delete(settled)
    return submitting
  }

  release(slot: Slot): void {
    this.#slots.release(slot)
    this.#pump()
  }

  /** Asks no more; resolves when no answer is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#pause)
    for (const timer of this.#heldBack.values()) clearTimeout(timer)
    await Promise.all([...this.#asking.values(), ...this.#submitting])
  }

  #hope(procedure: string): void {
    this.#hopeful.add(procedure)
    this.#pump()
  }

  /** Whether tasks of a procedure may be in the queue, as far as this host heard. */
  #mayWait(procedure: string): boolean {
    const isKnown = [this.#hopeful, this.#heldBack, this.#asking].some((procedures) =>
      procedures.has(procedure),
    )
    return isKnown || this.#pause !== undefined
  }

  #pump(): void {
    if (this.#stopped || this.#pause) return
    for (const procedure of this.#hopeful) if (!this.#asking.has(procedure)) this.#ask(procedure)
  }

  #ask(procedure: string): void {
    const slots = this.#reserve(procedure)
    if (slots.length === 0) return
    this.#hopeful.delete(procedure)
    const asking = this.#take(procedure, slots).finally(() => {
      this.#asking.delete(procedure)
      for (const slot of slots) this.#slots.release(slot)
      this.#pump()
    })
    this.#asking.set(procedure, asking)
  }

  #reserve(procedure: string): Slot[] {
    const policy = this.#parts.host.policy(procedure)
    if (!policy) return []
    const slots: Slot[] = []
    while (slots.length < MOST && this.#slots.isFree(procedure, policy))
      slots.push(this.#slots.take(procedure, policy))
    return slots
  }

  /** Uses up as many slots as there were tasks. Never rejects. */
  async #take(procedure: string, slots: Slot[]): Promise<void> {
    const { host, queue } = this.#parts
    const asked = slots.length
    const takenAt = performance.now()
    try {
      const taken = await queue.take(procedure, asked, (name) => rulesOf(host, name))
      this.#holdingBack.asked(procedure, taken.length)
      if (taken.length === asked) this.#hopeful.add(procedure)
      for (const each of taken) this.#begin(each, slots.pop() as Slot, takenAt)
    } catch (error) {
      this.#hopeful.add(procedure)
      this.#rest(error)
    }
  }

  #begin(taken: Taken, slot: Slot, takenAt: number): void {
    this.#slots.begin(slot)
    this.#parts.begin(taken, slot, takenAt)
  }

  /** The queue failed: nothing is asked for a moment. Reported once. */
  #rest(error: unknown): void {
    if (this.#stopped || this.#pause) return
    this.#parts.host.report('No task can be taken from the queue, which is tried again', error)
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.#pump()
    }, PAUSE)
  }
}
