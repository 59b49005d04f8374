/** An engine whose attempts end when they are told to, and a note of everything that it writes. */
import { createTaskId } from '../../../src/tasks/id.ts'
import type { Claim, EngineHost, TaskPolicy } from '../../../src/tasks/engine.ts'
import type { Outcome } from '../../../src/tasks/executor.ts'
import { toPolicy } from '../../../src/tasks/policy.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'
import { decodeEnvelope } from '../../../src/tasks/stores/record-codec.ts'
import { Records } from '../../../src/testing/memory-store.ts'
import { Pulse } from '../../../src/testing/pulse.ts'
import { TestClock } from '../../../src/testing/test-clock.ts'
import { TestEngine } from '../../../src/testing/test-engine.ts'
import { PROCEDURES, type Procedure } from './actions.ts'

export const SLOTS = 3
export const KEEP = 100_000
/** How long the engine waits after its store failed. */
const STORE_PAUSE = 1000
/** How long the engine lets a task rest that its executor gave back. */
export const GIVEN_BACK = 10

const common = { runOn: 'inline', keep: KEEP, cancelGrace: 20 } as const

export const POLICIES: Record<Procedure, TaskPolicy> = {
  plain: toPolicy({ ...common, retry: { attempts: 3, backoff: 'fixed', initial: 1000, jitter: 0 } }),
  once: toPolicy({
    ...common,
    onCrash: 'fail',
    retry: { attempts: 2, backoff: 'fixed', initial: 700, jitter: 0 },
  }),
  few: toPolicy({ ...common, concurrency: 1, retry: { attempts: 3, backoff: 'none' } }),
}

/** An attempt that runs. */
export interface Attempt {
  readonly claim: Claim
  end(outcome: Outcome): void
}

/** Texts that tell of each write. */
class NotedRows extends Map<string, string> {
  onSet: (id: string, text: string) => void = () => {}

  override set(id: string, text: string): this {
    this.onSet(id, text)
    return super.set(id, text)
  }
}

/** Is told of everything, in order. Throws nothing: the engine would take it for a failure of its own parts. */
export interface Witness {
  wrote(task: StoredTask): void
  began(): void
}

/** What attempts of an ended process still do. */
const awaken = async (zombies: readonly Attempt[]): Promise<void> => {
  for (const { claim, end } of zombies) {
    claim.progress('of a zombie')
    end({ kind: 'value', value: 'of a zombie' })
  }
}

/** One engine after another over the same records. */
export class World {
  readonly pulse = new Pulse(0)
  readonly clock = new TestClock(Date.UTC(2030, 0), {
    arrived: () => this.pulse.settled(),
    settled: () => this.pulse.settled(),
  })
  readonly rows = new NotedRows()
  readonly reports: string[] = []
  /** By task. */
  readonly attempts = new Map<string, Attempt>()
  engine!: TestEngine
  readonly #records = Object.assign(new Records(), { rows: this.rows })

  readonly #witness: Witness

  constructor(witness: Witness) {
    this.#witness = witness
    this.rows.onSet = (_id, text) => witness.wrote(decodeEnvelope(text).value as StoredTask)
  }

  /** A new process over what is there. */
  async open(): Promise<void> {
    this.engine = new TestEngine({ records: this.#records, pulse: this.pulse, queueLimit: 1000 })
    await this.engine.open(this.#host())
    this.engine.work(PROCEDURES)
    await this.pulse.settled()
  }

  /** SIGKILL; what the attempts do afterwards must not matter. */
  async crash(): Promise<void> {
    const zombies = [...this.attempts.values()]
    this.engine.crash()
    this.attempts.clear()
    await this.open()
    await awaken(zombies)
  }

  /** SIGTERM, which the attempts don't heed. */
  async close(): Promise<void> {
    const zombies = [...this.attempts.values()]
    await this.clock.runUntil(this.engine.close())
    this.attempts.clear()
    await this.open()
    await awaken(zombies)
  }

  /** The store is down while something happens. */
  async outage(during: () => Promise<void>): Promise<void> {
    this.#records.isDown = true
    await during()
    await this.pulse.settled()
    this.#records.isDown = false
    await this.clock.advance(STORE_PAUSE)
    this.reports.length = 0
  }

  newId(): string {
    return createTaskId(this.clock.now())
  }

  #host(): EngineHost {
    const attempts = this.attempts
    const isCurrent = (id: string, attempt: Attempt): boolean => attempts.get(id) === attempt
    return {
      clock: this.clock,
      policy: (procedure) => POLICIES[procedure as Procedure],
      slots: () => SLOTS,
      run: (claim) =>
        new Promise((resolve) => {
          const { id } = claim.task
          const attempt: Attempt = {
            claim,
            end: (outcome) => {
              if (isCurrent(id, attempt)) attempts.delete(id)
              resolve(outcome)
            },
          }
          attempts.set(id, attempt)
          this.#witness.began()
        }),
      report: (message) => void this.reports.push(message),
    }
  }
}
