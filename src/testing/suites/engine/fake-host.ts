/** A host whose attempts are scripted: what a procedure does is a function from its claim to an outcome. */
import type { RetryOptions, TaskOptions } from '../../../procedures/task-options.ts'
import { errorData, type ErrorData } from '../../../protocol/errors.ts'
import { systemClock, type Clock } from '../../../tasks/clock.ts'
import type { Claim, EngineHost, TaskPolicy } from '../../../tasks/engine.ts'
import type { Outcome } from '../../../tasks/executor.ts'
import { changeName, type ChangeName } from '../../../tasks/changes.ts'
import { toPolicy } from '../../../tasks/policy.ts'
import type { StoredTask } from '../../../tasks/stored-task.ts'

/** What an attempt does. */
export type Script = (claim: Claim) => Outcome | Promise<Outcome>

export const value = (result: unknown): Outcome => ({ kind: 'value', value: result })
export const lost: Outcome = { kind: 'lost', reason: 'killed' }
export const returned: Outcome = { kind: 'returned' }

/** An attempt that failed of something unforeseen. */
export const failure = (
  message = 'boom',
  extra: Partial<ErrorData> & { name?: string; declared?: boolean } = {},
): Outcome => ({
  kind: 'error',
  error: { ...errorData('INTERNAL_SERVER_ERROR', message), ...extra },
})

/** Runs for ever. */
export const never: Script = () => new Promise<never>(() => {})

/** Runs until it is told to stop, then ends with this outcome. */
export const untilAborted =
  (outcome: Outcome): Script =>
  ({ signal }) =>
    new Promise((resolve) => {
      const stop = () => resolve(outcome)
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })

/** A gate that scripts wait at. */
export const createGate = (): { readonly wait: Promise<void>; readonly open: () => void } => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { wait: promise, open: resolve }
}

const QUICK_RETRY: RetryOptions = { initial: 5, jitter: 0 }

/** A process as an engine sees it. */
export class FakeHost implements EngineHost {
  /** Every attempt in the order it began. */
  readonly claims: Claim[] = []
  readonly reports: string[] = []
  /** What it was told of, but for changes that have no name. */
  readonly changes: { readonly name: ChangeName; readonly task: StoredTask }[] = []
  readonly clock: Clock
  readonly #scripts = new Map<string, Script>()
  readonly #policies = new Map<string, TaskPolicy>()
  readonly #slots: number

  /** @param slots how many attempts run at once */
  constructor(slots = 10, clock: Clock = systemClock) {
    this.#slots = slots
    this.clock = clock
  }

  /** Retries come after 5 ms, and the grace of a cancel is 20 ms, unless the options say otherwise. */
  on(procedure: string, script: Script, options: TaskOptions = {}): this {
    this.#scripts.set(procedure, script)
    const retry = { ...QUICK_RETRY, ...options.retry }
    this.#policies.set(procedure, toPolicy({ runOn: 'inline', cancelGrace: 20, ...options, retry }))
    return this
  }

  /** What it has scripts for. */
  get procedures(): readonly string[] {
    return [...this.#policies.keys()]
  }

  policy(procedure: string): TaskPolicy | undefined {
    return this.#policies.get(procedure)
  }

  slots(): number {
    return this.#slots
  }

  async run(claim: Claim): Promise<Outcome> {
    this.claims.push(claim)
    return this.#scripts.get(claim.task.procedure)!(claim)
  }

  changed(before: StoredTask | undefined, task: StoredTask): void {
    const name = changeName(before, task)
    if (name) this.changes.push({ name, task })
  }

  report(message: string): void {
    this.reports.push(message)
  }
}
