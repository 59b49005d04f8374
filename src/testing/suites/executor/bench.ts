/** What cases do with an executor: give it calls, and note everything that each of them says. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostRequest } from '../../../procedures/task-call.ts'
import type { TaskLog } from '../../../protocol/task.ts'
import type { Executor, Outcome, Running } from '../../../tasks/executor.ts'
import type { Cases } from '../cases.ts'
import { expect } from '../runner.ts'
import { fixture, type FixtureName } from './fixture.ts'

/** What the suite asks of an executor under test. One on the event loop has nothing to do with most of it. */
export interface ExecutorOptions {
  /** URL of the module to import. */
  readonly module: string
  readonly workers: number
  readonly env?: Record<string, string>
  /** MiB. */
  readonly memoryLimit?: number
  /** Milliseconds. */
  readonly startTimeout?: number
  readonly report?: (message: string) => void
}

/** A call and everything it said, its outcome last. */
export interface Traced extends Running {
  readonly trace: unknown[]
}

const refuse = (): never => {
  throw Object.assign(new Error('The queue is full'), {
    name: 'ProcedureError',
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
  })
}

const answer = async (request: HostRequest): Promise<unknown> =>
  request.op === 'start' && request.procedure === 'refused' ? refuse() : { id: 'child', asked: request }

/** Begins a call. */
export const start = (executor: Executor, procedure: string, input?: unknown): Traced => {
  const trace: unknown[] = []
  const events = {
    progress: (progress: unknown) => trace.push({ progress }),
    log: (log: TaskLog) => trace.push({ log }),
    start: answer,
  }
  const call = { taskId: 'task-1', procedure, input, carried: { tenant: 'a' }, attempt: 2, trace: 'of it' }
  const running = executor.run(call, events, () => trace.push('started'))
  void running.outcome.then((outcome) => trace.push(outcome))
  return Object.assign(running, { trace })
}

export const outcomeOf = (executor: Executor, procedure: string, input?: unknown): Promise<Outcome> =>
  start(executor, procedure, input).outcome

/** Resolves when the handler of a call is called. */
export const begun = async ({ trace }: Traced): Promise<void> => {
  while (!trace.includes('started')) await sleep(2)
}

export const hasEnded = ({ trace }: Traced): boolean =>
  trace.some((entry) => typeof entry === 'object' && entry !== null && 'kind' in entry)

/** Until each of two workers serves. */
export const warm = async (executor: Executor): Promise<void> => {
  const seen = new Set<unknown>()
  for (let round = 0; seen.size < 2; round += 1) {
    if (round === 200) throw new Error('Expected two workers, and in 200 rounds only one was seen')
    const [a, b] = await Promise.all([outcomeOf(executor, 'where', 20), outcomeOf(executor, 'where', 20)])
    for (const outcome of [a, b]) if (outcome.kind === 'value') seen.add(outcome.value)
  }
}

export const value = (result: unknown): Outcome => ({ kind: 'value', value: result })

/** A lost call with these words in its reason. */
export const lost = (words: string | RegExp) => ({
  kind: 'lost',
  reason: expect.stringMatching(words) as string,
})

/** How many calls ended in which way. */
export const tally = async (running: readonly Running[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { outcome } of running) {
    const { kind } = await outcome
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** So many calls of one task at once. */
export const startMany = (executor: Executor, count: number, procedure = 'noop'): Traced[] =>
  Array.from({ length: count }, () => start(executor, procedure))

/** Makes the executors of one case, and closes them. */
export class ExecutorBench {
  readonly #make: (options: ExecutorOptions) => Executor
  readonly #open = new Set<Executor>()

  constructor(make: (options: ExecutorOptions) => Executor) {
    this.#make = make
  }

  readonly create = (options: Partial<ExecutorOptions> = {}, module: FixtureName = 'app'): Executor => {
    const executor = this.#make({ module: fixture(module), workers: 2, report: () => {}, ...options })
    this.#open.add(executor)
    return executor
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#open].map((executor) => executor.close()))
  }
}

/** Cases of an executor. */
export type ExecutorCases = Cases<ExecutorBench>
