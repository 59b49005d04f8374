/** What every executor must do, run on each of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { HostRequest } from '../../src/procedures/task-call.ts'
import type { TaskLog } from '../../src/protocol/task.ts'
import type { Executor, Outcome, Running } from '../../src/tasks/executor.ts'

/** What the suite asks of an executor under test. One on the event loop has nothing to do with most of it. */
export interface SuiteOptions {
  readonly module: string
  readonly workers: number
  readonly env?: Record<string, string>
  readonly memoryLimit?: number
  readonly startTimeout?: number
  readonly report?: (message: string) => void
}

const CASES = [
  'opens before the first call, however often',
  'tells why it can not be opened, and can be tried again',
  'does not open once it is closed',
  'runs a task with all that was given to it',
  'carries a void result',
  'tells a declared error as data',
  'tells a throw past the task as an internal error',
  'refuses a result that JSON cannot hold',
  'tells of a task that the module lacks',
  'says that it starts, then the progress in order, before the outcome',
  'delivers progress before a busy loop that follows it',
  'delivers logs',
  'ignores what a handler says after its end',
  'answers a nested start',
  'refuses a nested start with the fields of the error',
  'lets the handler see an abort and its reason',
  'withdraws a call that has not begun',
  'kills a deaf handler and serves on',
  'kills a busy loop and serves on',
  'loses the call of a worker that exits with 0',
  'loses the call of a worker that exits with 1',
  'serves on after as many exits as there are workers',
  'loses the call of a worker with an uncaught throw',
  'loses the call of a worker with an uncaught null',
  'loses the call of a worker with an unhandled rejection',
  'loses the call of a worker out of memory',
  'fails the call that overflows the stack, and keeps its worker',
  'ends the call of a worker that closes its channel',
  'bears a flood of reports, in order',
  'outlives a throw after the result',
  'returns calls that waited in a worker that died',
  'does not hold calls up behind a long one',
  'runs on several workers at once',
  'ends 1,000 calls once each',
  'tells why a module can not be imported, for every call',
  'tells that a module has no app',
  'gives up a module whose import never ends',
  'loses the call of a worker that dies of itself before it begins',
  'passes the environment on',
  'ends running calls as lost when it is closed',
  'returns what it is given after it was closed',
] as const

/** The name of a case. */
export type SuiteCase = (typeof CASES)[number]

/** Which cases an executor can't have, each with the reason. */
export type Skips = Partial<Record<SuiteCase, string>>

const fixture = (name: string): string => new URL(`../fixtures/executors/${name}.ts`, import.meta.url).href

const refuse = (): never => {
  throw Object.assign(new Error('The queue is full'), {
    name: 'ProcedureError',
    code: 'SERVICE_UNAVAILABLE',
    status: 503,
  })
}

const answer = async (request: HostRequest): Promise<unknown> =>
  request.op === 'start' && request.procedure === 'refused' ? refuse() : { id: 'child', asked: request }

interface Traced extends Running {
  /** Everything the call said, and last its outcome. */
  readonly trace: unknown[]
}

const start = (executor: Executor, procedure: string, input?: unknown): Traced => {
  const trace: unknown[] = []
  const events = {
    progress: (progress: unknown) => trace.push({ progress }),
    log: (log: TaskLog) => trace.push({ log }),
    start: answer,
  }
  const call = { taskId: 'task-1', procedure, input, carried: { tenant: 'a' }, attempt: 2 }
  const running = executor.run(call, events, () => trace.push('started'))
  void running.outcome.then((outcome) => trace.push(outcome))
  return Object.assign(running, { trace })
}

const outcomeOf = (executor: Executor, procedure: string, input?: unknown): Promise<Outcome> =>
  start(executor, procedure, input).outcome

const begun = async (running: Traced): Promise<void> => {
  while (!running.trace.includes('started')) await sleep(2)
}

const WAIT = { timeout: 5000 }

/** Until each of two workers serves. */
const warm = async (executor: Executor): Promise<void> => {
  const seen = new Set<unknown>()
  while (seen.size < 2) {
    const [a, b] = await Promise.all([outcomeOf(executor, 'where', 20), outcomeOf(executor, 'where', 20)])
    for (const outcome of [a, b]) if (outcome.kind === 'value') seen.add(outcome.value)
  }
}

const value = (result: unknown): Outcome => ({ kind: 'value', value: result })
const lost = (words: string | RegExp) => ({ kind: 'lost', reason: expect.stringMatching(words) as string })

const tally = async (running: readonly Running[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { outcome } of running) {
    const { kind } = await outcome
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

/** Runs every case on executors made by `make`. */
export const executorSuite = (
  name: string,
  make: (options: SuiteOptions) => Executor,
  { skip = {} }: { readonly skip?: Skips } = {},
): void => {
  const open = new Set<Executor>()
  const create = (options: Partial<SuiteOptions> = {}): Executor => {
    const executor = make({ module: fixture('app'), workers: 2, report: () => {}, ...options })
    open.add(executor)
    return executor
  }

  const bodies: Record<SuiteCase, () => Promise<void>> = {
    'opens before the first call, however often': async () => {
      const executor = create()
      await Promise.all([executor.open(), executor.open()])
      await executor.open()
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'tells why it can not be opened, and can be tried again': async () => {
      const broken = create({ module: fixture('broken') })
      const refused = /broken\.ts can't be used: SyntaxError: broken on purpose\n +at .*broken\.ts/
      await expect(Promise.all([broken.open(), broken.open()])).rejects.toThrow(refused)
      await expect(broken.open()).rejects.toThrow(refused)
      await expect(create({ module: fixture('no-app') }).open()).rejects.toThrow('made no app')
      const slow = create({ module: fixture('slow'), startTimeout: 300 })
      await expect(slow.open()).rejects.toThrow('was not imported within 300 ms')
    },
    'does not open once it is closed': async () => {
      const [closed, closing] = [create(), create({ module: fixture('slow') })]
      await closed.close()
      await expect(closed.open()).rejects.toThrow('the executor was closed')
      const opening = closing.open()
      await Promise.all([expect(opening).rejects.toThrow('the executor was closed'), closing.close()])
    },
    'runs a task with all that was given to it': async () => {
      const given = { input: { a: [1, 'é', null] }, carried: { tenant: 'a' }, attempt: 2, taskId: 'task-1' }
      expect(await outcomeOf(create(), 'nested.echo', given.input)).toEqual(value(given))
    },
    'carries a void result': async () => {
      expect(await outcomeOf(create(), 'void')).toEqual({ kind: 'value', value: undefined })
    },
    'tells a declared error as data': async () => {
      const error = {
        code: 'OUT_OF_STOCK',
        status: 409,
        message: 'No more',
        data: { sku: 'x' },
        declared: true,
      }
      expect(await outcomeOf(create(), 'declared')).toEqual({ kind: 'error', error })
    },
    'tells a throw past the task as an internal error': async () => {
      expect(await outcomeOf(create(), 'throws')).toMatchObject({
        kind: 'error',
        error: {
          code: 'INTERNAL_SERVER_ERROR',
          name: 'TypeError',
          internal: { message: 'thrown past its own function' },
        },
      })
    },
    'refuses a result that JSON cannot hold': async () => {
      const executor = create()
      for (const procedure of ['bigint', 'circular'])
        expect(await outcomeOf(executor, procedure)).toMatchObject({
          kind: 'error',
          error: { code: 'OUTPUT_INVALID' },
        })
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'tells of a task that the module lacks': async () => {
      const internal = { message: expect.stringContaining('no task "nowhere"') as string }
      expect(await outcomeOf(create(), 'nowhere')).toMatchObject({ kind: 'error', error: { internal } })
    },
    'says that it starts, then the progress in order, before the outcome': async () => {
      const running = start(create(), 'reports', 500)
      await running.outcome
      const progress = Array.from({ length: 500 }, (_, n) => ({ progress: { n } }))
      expect(running.trace).toEqual(['started', ...progress, value(500)])
    },
    'delivers progress before a busy loop that follows it': async () => {
      const executor = create()
      await outcomeOf(executor, 'noop')
      const running = start(executor, 'reportsThenSpins', 400)
      await sleep(200)
      expect(running.trace).toEqual(['started', { progress: 'about to spin' }])
      expect(await running.outcome).toEqual(value(null))
    },
    'delivers logs': async () => {
      const running = start(create(), 'logs')
      await running.outcome
      const log = { level: 'info', message: 'hello', at: '2026-01-01T00:00:00.000Z', fields: { n: 1 } }
      expect(running.trace).toEqual(['started', { log }, value(null)])
    },
    'ignores what a handler says after its end': async () => {
      const running = start(create(), 'late')
      await running.outcome
      await sleep(50)
      expect(running.trace).toEqual(['started', value(null)])
    },
    'answers a nested start': async () => {
      const asked = { op: 'start', procedure: 'child', input: { n: 1 } }
      expect(await outcomeOf(create(), 'starts', { n: 1 })).toEqual(value({ id: 'child', asked }))
    },
    'refuses a nested start with the fields of the error': async () => {
      const error = {
        name: 'ProcedureError',
        message: 'The queue is full',
        code: 'SERVICE_UNAVAILABLE',
        status: 503,
      }
      expect(await outcomeOf(create(), 'isRefused')).toMatchObject(value(error))
    },
    'lets the handler see an abort and its reason': async () => {
      const running = start(create(), 'waitForAbort')
      await begun(running)
      running.abort('Cancelled')
      running.abort('Cancelled')
      expect(await running.outcome).toEqual(value('Cancelled'))
    },
    'withdraws a call that has not begun': async () => {
      const executor = create({ workers: 1 })
      const first = start(executor, 'sleep', 200)
      const [second, third] = [start(executor, 'noop'), start(executor, 'noop')]
      second.abort('Cancelled')
      third.kill('Timeout')
      expect(await second.outcome).toEqual({ kind: 'returned' })
      expect(await third.outcome).toEqual({ kind: 'returned' })
      expect(await first.outcome).toEqual(value(null))
      expect(second.trace).not.toContain('started')
    },
    'kills a deaf handler and serves on': async () => {
      const executor = create()
      const running = start(executor, 'deaf')
      await begun(running)
      running.abort('Cancelled')
      running.kill('it did not heed its signal')
      running.kill('twice')
      expect(await running.outcome).toEqual(lost('it did not heed its signal'))
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'kills a busy loop and serves on': async () => {
      const executor = create({ workers: 1 })
      const running = start(executor, 'spinForever')
      await begun(running)
      const other = start(executor, 'noop')
      running.kill('Timeout')
      expect(await running.outcome).toEqual(lost('Timeout'))
      expect(await other.outcome).toEqual(value(null))
    },
    'loses the call of a worker that exits with 0': async () => {
      const executor = create()
      expect(await outcomeOf(executor, 'exit', 0)).toEqual(lost('exited with code 0'))
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'loses the call of a worker that exits with 1': async () => {
      const executor = create()
      expect(await outcomeOf(executor, 'exit', 1)).toEqual(lost('exited with code 1'))
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'serves on after as many exits as there are workers': async () => {
      const executor = create()
      for (let round = 0; round < 2; round += 1)
        expect(await tally([start(executor, 'exit', 1), start(executor, 'exit', 1)])).toEqual({ lost: 2 })
      expect(await tally(Array.from({ length: 10 }, () => start(executor, 'noop')))).toEqual({ value: 10 })
    },
    'loses the call of a worker with an uncaught throw': async () => {
      const executor = create()
      expect(await outcomeOf(executor, 'throwsInTimer')).toEqual(
        lost(/RangeError: thrown in a timer\n +at .*tasks\.ts/),
      )
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'loses the call of a worker with an uncaught null': async () => {
      const executor = create()
      expect(await outcomeOf(executor, 'throwsNull')).toEqual(lost('uncaught'))
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'loses the call of a worker with an unhandled rejection': async () => {
      const executor = create()
      expect(await outcomeOf(executor, 'rejectsUnheard')).toEqual(lost('RangeError: rejected unheard'))
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'loses the call of a worker out of memory': async () => {
      const executor = create({ memoryLimit: 64 })
      expect(await outcomeOf(executor, 'fillsMemory')).toEqual(lost('out of memory'))
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'fails the call that overflows the stack, and keeps its worker': async () => {
      const executor = create({ workers: 1 })
      const before = await outcomeOf(executor, 'where', 0)
      const error = { name: 'RangeError', code: 'INTERNAL_SERVER_ERROR' }
      expect(await outcomeOf(executor, 'overflows')).toMatchObject({ kind: 'error', error })
      expect(await outcomeOf(executor, 'where', 0)).toEqual(before)
    },
    'ends the call of a worker that closes its channel': async () => {
      const executor = create({ workers: 1 })
      const outcome = await outcomeOf(executor, 'closesItsChannel')
      // A process has no other way to its host; a thread's is not within its handler's reach.
      expect([value('it had another'), lost('exited with code 1')]).toContainEqual(outcome)
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'bears a flood of reports, in order': async () => {
      const running = start(create(), 'floods', 20_000)
      expect(await running.outcome).toEqual(value(null))
      expect(running.trace).toHaveLength(2 + 2 * 20_000)
      expect(running.trace.at(-3)).toEqual({ progress: { n: 19_999 } })
    },
    'outlives a throw after the result': async () => {
      const reports: string[] = []
      const executor = create({ workers: 1, report: (message) => reports.push(message) })
      expect(await outcomeOf(executor, 'throwsAfterItsEnd', 10)).toEqual(value('fine'))
      await expect.poll(() => reports, WAIT).toEqual([expect.stringContaining('RangeError: thrown too late')])
      expect(await outcomeOf(executor, 'throwsAfterItsEnd', 300)).toEqual(value('fine'))
      // The worker's death is told to whoever runs in it at the time; it is not a result.
      expect(await outcomeOf(executor, 'deaf')).toEqual(lost('RangeError: thrown too late'))
      expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
    },
    'returns calls that waited in a worker that died': async () => {
      const executor = create({ workers: 1 })
      await tally(Array.from({ length: 50 }, () => start(executor, 'noop')))
      const quick = Array.from({ length: 4 }, () => start(executor, 'noop'))
      const fatal = start(executor, 'exit', 1)
      const behind = Array.from({ length: 30 }, () => start(executor, 'noop'))
      expect(await tally(quick)).toEqual({ value: 4 })
      expect(await fatal.outcome).toEqual(lost('exited with code 1'))
      const { value: served = 0, returned = 0, ...others } = await tally(behind)
      expect(others).toEqual({})
      expect(served + returned).toBe(30)
      for (const { trace } of behind)
        expect(trace).toEqual(trace.length === 1 ? [{ kind: 'returned' }] : ['started', value(null)])
    },
    'does not hold calls up behind a long one': async () => {
      const executor = create()
      await warm(executor)
      for (let round = 0; round < 3; round += 1) {
        await tally(Array.from({ length: 50 }, () => start(executor, 'noop')))
        const from = performance.now()
        const mixed = Array.from({ length: 40 }, (_, n) => start(executor, n === 7 ? 'spin' : 'noop', 1000))
        await tally(mixed.filter((_, n) => n !== 7))
        expect(performance.now() - from).toBeLessThan(500)
        await mixed[7]?.outcome
        expect(mixed.map(({ trace }) => trace.filter((entry) => entry === 'started').length)).toEqual(
          mixed.map(() => 1),
        )
      }
    },
    'runs on several workers at once': async () => {
      const executor = create()
      await tally([start(executor, 'sleep', 600), start(executor, 'sleep', 600)])
      const from = performance.now()
      await tally([start(executor, 'sleep', 300), start(executor, 'sleep', 300)])
      expect(performance.now() - from).toBeLessThan(550)
    },
    'ends 1,000 calls once each': async () => {
      const executor = create()
      const running = Array.from({ length: 1000 }, (_, n) => start(executor, 'nested.echo', n))
      const outcomes = await Promise.all(running.map(({ outcome }) => outcome))
      expect(
        outcomes.map((outcome) => outcome.kind === 'value' && (outcome.value as { input: number }).input),
      ).toEqual(running.map((_, n) => n))
      for (const { trace } of running) expect(trace).toHaveLength(2)
    },
    'tells why a module can not be imported, for every call': async () => {
      const executor = create({ module: fixture('broken') })
      const running = Array.from({ length: 5 }, () => start(executor, 'noop'))
      for (const { outcome } of running)
        expect(await outcome).toEqual(lost(/could not start[^]*broken\.ts[^]*SyntaxError: broken on purpose/))
      expect(await outcomeOf(executor, 'noop')).toEqual(lost('broken on purpose'))
    },
    'tells that a module has no app': async () => {
      expect(await outcomeOf(create({ module: fixture('no-app') }), 'noop')).toEqual(lost('made no app'))
      expect(await outcomeOf(create({ module: fixture('nowhere') }), 'noop')).toEqual(lost('nowhere.ts'))
    },
    'gives up a module whose import never ends': async () => {
      const executor = create({ module: fixture('slow'), startTimeout: 300 })
      expect(await outcomeOf(executor, 'noop')).toEqual(lost('was not imported within 300 ms'))
    },
    'loses the call of a worker that dies of itself before it begins': async () => {
      const executor = create({ module: fixture('fragile') })
      expect(await outcomeOf(executor, 'deaf')).toEqual(lost('fragile on purpose'))
    },
    'passes the environment on': async () => {
      process.env.EXECUTOR_SUITE = 'of the host'
      const executor = create({ env: { EXECUTOR_SUITE_OWN: 'of the workers' } })
      expect(await outcomeOf(executor, 'env', 'EXECUTOR_SUITE')).toEqual(value('of the host'))
      expect(await outcomeOf(executor, 'env', 'EXECUTOR_SUITE_OWN')).toEqual(value('of the workers'))
    },
    'ends running calls as lost when it is closed': async () => {
      const executor = create({ workers: 1 })
      const running = start(executor, 'deaf')
      await begun(running)
      const other = start(executor, 'nested.echo')
      const from = performance.now()
      await Promise.all([executor.close(), executor.close()])
      expect(performance.now() - from).toBeLessThan(3000)
      expect(await running.outcome).toEqual(lost('the executor was closed'))
      expect(['returned', 'lost']).toContain((await other.outcome).kind)
    },
    'returns what it is given after it was closed': async () => {
      const executor = create()
      await executor.close()
      expect(await outcomeOf(executor, 'noop')).toEqual({ kind: 'returned' })
    },
  }

  describe(`executor: ${name}`, { timeout: 30_000 }, () => {
    afterEach(async () => {
      await Promise.all([...open].map((executor) => executor.close()))
      open.clear()
    })

    for (const title of CASES) {
      const reason = skip[title]
      if (reason) test.skip(`${title} (${reason})`)
      else test(title, bodies[title])
    }
  })
}
