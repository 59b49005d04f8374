/** What cases do with engines: open them on one place, start tasks, wait for them, watch them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isFinished } from '../../../protocol/task.ts'
import type { EngineEvent, TaskEngine, TaskSpec } from '../../../tasks/engine.ts'
import { createTaskId } from '../../../tasks/id.ts'
import type { StoredTask } from '../../../tasks/stored-task.ts'
import type { Cases } from '../cases.ts'
import type { FakeHost } from './fake-host.ts'
import type { EnginePlace, EngineSubject } from './place.ts'

/** A task to be started. */
export const spec = (procedure: string, extra: Partial<TaskSpec> = {}): TaskSpec => ({
  id: createTaskId(),
  procedure,
  input: { n: 1 },
  maxAttempts: 3,
  owner: null,
  priority: 0,
  ...extra,
})

/** A watcher that has got its first event. */
export interface Observed {
  /** Everything it was told, once there is no more. */
  readonly all: Promise<readonly EngineEvent[]>
}

/** An open engine with its host. */
export class Opened {
  readonly engine: TaskEngine
  readonly host: FakeHost
  readonly #patience: number

  constructor(engine: TaskEngine, host: FakeHost, patience: number) {
    this.engine = engine
    this.host = host
    this.#patience = patience
  }

  async start(procedure: string, extra?: Partial<TaskSpec>): Promise<StoredTask> {
    return (await this.engine.submit(spec(procedure, extra))).task
  }

  /** The task once it is so. */
  async until(id: string, isSo: (task: StoredTask) => boolean): Promise<StoredTask> {
    let last: StoredTask | undefined
    for (const giveUpAt = performance.now() + this.#patience; performance.now() < giveUpAt; await sleep(2)) {
      last = await this.engine.get(id)
      if (last && isSo(last)) return last
    }
    throw new Error(`Task ${id} did not come to be so within ${this.#patience} ms: ${JSON.stringify(last)}`)
  }

  /** The task once it has ended. */
  end(id: string): Promise<StoredTask> {
    return this.until(id, ({ status }) => isFinished(status))
  }

  /** The task once it runs. */
  running(id: string): Promise<StoredTask> {
    return this.until(id, ({ status }) => status === 'running')
  }

  /** Once its handler runs here; a record may say so a moment earlier. */
  async claimed(id: string): Promise<void> {
    await this.until(id, () => this.host.claims.some(({ task }) => task.id === id))
  }

  watch(id: string, after?: string, signal = new AbortController().signal): AsyncIterable<EngineEvent> {
    return this.engine.events(id, { signal, ...(after === undefined ? {} : { after }) })
  }

  /** Watches from now on: resolves once the first event is there. */
  async observe(id: string, after?: string, signal?: AbortSignal): Promise<Observed> {
    const first = Promise.withResolvers<void>()
    const all = (async () => {
      const seen: EngineEvent[] = []
      for await (const event of this.watch(id, after, signal)) {
        seen.push(event)
        first.resolve()
      }
      return seen
    })()
    all.then(() => first.resolve(), first.reject)
    await first.promise
    return { all }
  }
}

/** Everything a watcher is told. */
export const collect = async (events: AsyncIterable<EngineEvent>): Promise<readonly EngineEvent[]> => {
  const all: EngineEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

/** The types of events, in order. */
export const typesOf = (events: readonly EngineEvent[]): readonly string[] => events.map(({ type }) => type)

/** One place and the engines of one case. */
export class EngineBench {
  readonly place: EnginePlace
  readonly #patience: number
  readonly #open = new Set<TaskEngine>()

  constructor(place: EnginePlace, patience: number) {
    this.place = place
    this.#patience = patience
  }

  /** One more engine on the place, which runs what its host has scripts for. */
  readonly open = async (host: FakeHost): Promise<Opened> => {
    const opened = await this.openIdle(host)
    opened.engine.work(host.procedures)
    return opened
  }

  /** One more engine on the place, which leaves the work to others. */
  readonly openIdle = async (host: FakeHost): Promise<Opened> => {
    const engine = await this.place.create()
    this.#open.add(engine)
    await engine.open(host)
    return new Opened(engine, host, this.#patience)
  }

  /** Ends an engine as a killed process would. */
  readonly crash = async ({ engine }: Opened): Promise<void> => {
    this.#open.delete(engine)
    await this.place.crash(engine)
  }

  /** Another process takes up what a killed one left. */
  readonly restart = async (before: Opened, host: FakeHost): Promise<Opened> => {
    await this.crash(before)
    return this.open(host)
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#open].map((engine) => engine.close()))
    await this.place.dispose()
  }
}

/** Cases of an engine. */
export type EngineCases = Cases<EngineBench, EngineSubject>
