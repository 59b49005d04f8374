/**
 * Queues of bullmq() on a real server, one step at a time: each call of a place is one, and before any of them something
 * else can be made to happen, or the host to die.
 */
import { expect } from 'vitest'
import { spec } from '../../src/testing/suites/engine/bench.ts'
import { EngineUnavailable, type CancelResult } from '../../src/tasks/engine.ts'
import { BullmqQueue } from '../../src/tasks/engines/bullmq/bullmq-queue.ts'
import { toTarget } from '../../src/tasks/engines/bullmq/options.ts'
import type { Place } from '../../src/tasks/engines/bullmq/place.ts'
import { PostgresPlace } from '../../src/tasks/engines/bullmq/postgres-place.ts'
import { RedisPlace } from '../../src/tasks/engines/bullmq/redis-place.ts'
import type { Timing } from '../../src/tasks/engines/bullmq/timing.ts'
import type { Taken } from '../../src/tasks/engines/fleet/shared-queue.ts'
import { created, type EndingRules } from '../../src/tasks/lifecycle.ts'
import { toPolicy } from '../../src/tasks/policy.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'
import { afterwards } from './afterwards.ts'
import { freshName, loseLeaseAt } from './bullmq-place.ts'

import { noPostgres, startPostgres } from './servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from './servers/redis.ts'

/** Started for the file that asks. Without a URL it can't be had here. */
export const startServers = async (): Promise<
  readonly { readonly name: string; readonly url: string | undefined }[]
> => [
  { name: 'Redis', url: noRedis ? undefined : (await startRedis(DURABLE)).url() },
  { name: 'Postgres', url: noPostgres ? undefined : (await startPostgres()).url() },
]

/** Nothing happens by itself. */
const CALM: Timing = { lease: 600_000, recoverEvery: 600_000, sweepEvery: 600_000, lookEvery: 600_000 }

const LISTENER = {
  available: () => {},
  changed: () => {},
  wrote: () => {},
  progress: () => {},
  log: () => {},
  cancelRequested: () => {},
  look: () => {},
  missed: () => {},
}

export const PROCEDURE = 'stepped'
export const RULES = { ...toPolicy({}), backoff: () => 0 }

export interface SteppedHost {
  readonly queue: BullmqQueue
  readonly place: Place
  /** Before the step of this number, counted from now on (1, 2, …), something happens, once. Whether it did. */
  before(step: number, act: () => Promise<unknown>): { readonly happened: boolean }
  /** It dies when it has made so many more steps: nothing reaches the server any more. */
  dieAfter(steps: number): void
}

/** Hosts over the same queues. */
export class SteppedHosts {
  readonly #url: string
  readonly #name = freshName()

  constructor(url: string) {
    this.#url = url
  }

  static async two(
    url: string,
  ): Promise<{ readonly hosts: SteppedHosts; readonly one: SteppedHost; readonly two: SteppedHost }> {
    const hosts = new SteppedHosts(url)
    return { hosts, one: await hosts.join(), two: await hosts.join() }
  }

  async join(): Promise<SteppedHost> {
    const place = placeAt(this.#url, this.#name)
    let act = async (_step: number): Promise<unknown> => undefined
    let step = 0
    const queue = new BullmqQueue({ place: stepped(place, () => act(++step)), timing: CALM })
    await queue.open(
      LISTENER,
      () => {},
      () => undefined,
    )
    afterwards(() => {
      act = async () => undefined
      return queue.close()
    })
    const plan = (next: typeof act): void => {
      step = 0
      act = next
    }
    return {
      queue,
      place,
      before: (at, happen) => {
        const seen = { happened: false }
        plan(async (now) => {
          if (now !== at || seen.happened) return
          seen.happened = true
          await happen()
        })
        return seen
      },
      dieAfter: (steps) =>
        plan(async (now) => {
          if (now > steps) throw new EngineUnavailable('This host is dead')
        }),
    }
  }

  /** What a host that died had of a task is anybody's. */
  async lose({ place }: SteppedHost, id: string): Promise<void> {
    await loseLeaseAt(this.#url, this.#name, id)
    await place.recover([PROCEDURE])
  }
}

/** A new task in the queue. */
export const put = async (
  { queue }: SteppedHost,
  extra: Parameters<typeof spec>[1] = {},
): Promise<StoredTask> => (await queue.submit(created(spec(PROCEDURE, extra), Date.now()))).task

export const takeOne = async (
  { queue }: SteppedHost,
  rules: EndingRules = RULES,
): Promise<Taken | undefined> => (await queue.take(PROCEDURE, 1, () => rules))[0]

/** Takes whatever there is, and dies before it has made more of it than that. */
export const takeAndDie = async (host: SteppedHost): Promise<void> => {
  host.dieAfter(1)
  await takeOne(host).catch(() => {}) // As every step of the dead.
}

export const cancelTask = ({ queue }: SteppedHost, id: string): Promise<CancelResult | undefined> =>
  queue.cancel(id, 60_000)

/** What was said to be settled is what there is; what was asked to stop is cancelled. */
export const expectHeld = async (
  { queue }: SteppedHost,
  id: string,
  answer: CancelResult | undefined,
): Promise<StoredTask | undefined> => {
  const record = await queue.get(id)
  if (answer?.kind === 'settled') expect(record).toEqual(answer.task)
  else expect([answer?.kind, record?.status]).toEqual(['requested', 'cancelled'])
  return record
}

/** Does it for step 1, 2, …, as long as there is one, and once behind the last. */
export const atEachStep = async (
  act: (step: number) => Promise<{ readonly happened: boolean }>,
): Promise<void> => {
  for (let step = 1; step <= 20; step++) if (!(await act(step)).happened) return
  throw new Error('There is no end of steps')
}

/** Not open yet. */
export const placeAt = (url: string, name: string): Place => {
  const target = toTarget(url)
  const settings = { name, where: target.where, timing: CALM }
  return target.kind === 'postgres'
    ? new PostgresPlace({ ...settings, options: target.options, migrate: true })
    : new RedisPlace({ ...settings, url, options: {}, prefix: 'bull' })
}

const stepped = (place: Place, step: () => Promise<unknown>): Place =>
  new Proxy(place, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        await step()
        return value.apply(target, args) as unknown
      }
    },
  })
