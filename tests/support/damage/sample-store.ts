/** Stores as a real engine leaves them, with tasks of every status, and every record that was ever written to them. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../src/tasks/clock.ts'
import type { EngineHost, TaskEngine } from '../../../src/tasks/engine.ts'
import { LocalEngine } from '../../../src/tasks/engines/local-engine.ts'
import { createTaskId } from '../../../src/tasks/id.ts'
import { toPolicy } from '../../../src/tasks/policy.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'
import { KeyvStore } from '../../../src/tasks/stores/keyv-store.ts'
import { SqliteAdapter } from '../../../src/tasks/stores/sqlite.ts'
import { until } from '../until.ts'

/** What a store consists of. */
export const FILES = ['tasks.db', 'tasks.db-wal', 'tasks.db-shm', 'tasks.db-mark', 'tasks.db-lock'] as const
export type FileName = (typeof FILES)[number]
export type Files = Readonly<Partial<Record<FileName, Buffer>>>

/** A store, and what there was to read in it. */
export interface Sample {
  readonly name: string
  readonly files: Files
  /** Of each task every record that was written, oldest first. */
  readonly written: ReadonlyMap<string, readonly StoredTask[]>
}

/** Where files are written in memory, if there is such a place: a thousand stores need no disk. */
export const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

class RecordingStore extends KeyvStore {
  readonly written = new Map<string, StoredTask[]>()

  override async put(task: StoredTask): Promise<void> {
    const all = this.written.get(task.id)
    if (all) all.push(task)
    else this.written.set(task.id, [task])
    await super.put(task)
  }
}

const policy = toPolicy({ retry: { attempts: 2, initial: '1h', jitter: 0 }, keep: '9d' })

/** Ends each task as its procedure is called; `long` never. */
export const host: EngineHost = {
  policy: () => policy,
  clock: systemClock,
  slots: () => 40,
  run: async ({ task: { procedure, input }, progress, signal }) => {
    progress({ percent: 1 })
    if (procedure === 'long')
      return new Promise((resolve) =>
        signal.addEventListener('abort', () => resolve({ kind: 'value', value: 0 })),
      )
    if (procedure === 'fail')
      return { kind: 'error', error: { code: 'BAD_REQUEST', status: 400, message: 'bad', declared: true } }
    return procedure === 'retry'
      ? { kind: 'error', error: { code: 'INTERNAL_SERVER_ERROR', status: 500, message: 'again' } }
      : { kind: 'value', value: { echo: input } }
  },
  report: (message, error) => {
    throw new Error(message, { cause: error })
  },
}

const PROCEDURES = ['ok', 'ok', 'ok', 'fail', 'retry', 'later', 'cancel']

/** Most records are small; some take a page or more. */
const toInput = (n: number) => ({ n, text: '\u{1F4A5}é"'.repeat(n % 50 === 0 ? 1200 : (n % 7) * 10) })

const startTasks = async (engine: TaskEngine, from: number, count: number): Promise<void> => {
  const start = async (procedure: string, n: number) => {
    const later = procedure === 'later' || procedure === 'cancel' ? { runAt: Date.now() + 3_600_000 } : {}
    const { task } = await engine.submit({
      id: createTaskId(),
      procedure,
      input: toInput(n),
      maxAttempts: 2,
      owner: n % 3 === 0 ? 'ann' : null,
      priority: 0,
      ...(n % 5 === 0 ? { idempotencyKey: `key-${n}`, inputDigest: 'd', tags: ['five'] } : {}),
      ...later,
    })
    if (procedure === 'cancel') await engine.cancel(task.id)
  }
  for (let n = from; n < from + count; n += 5)
    await Promise.all([0, 1, 2, 3, 4].map((k) => start(PROCEDURES[(n + k) % PROCEDURES.length]!, n + k)))
  await until('the end of what ends', async () => {
    const { items } = await engine.list({ status: 'running', limit: 1 })
    const queued = await engine.list({ status: 'queued', limit: 200 })
    return items.length === 0 && queued.items.every(({ runAt = 0 }) => runAt > Date.now())
  })
}

const startLongOnes = async (engine: TaskEngine, count: number): Promise<void> => {
  const specs = Array.from({ length: count }, (_, n) => ({ id: createTaskId(), procedure: 'long', input: n }))
  await Promise.all(specs.map((spec) => engine.submit({ ...spec, maxAttempts: 2, owner: null, priority: 0 })))
}

/** The files as they are now: of an engine that is still open, what a kill would leave. */
const readFiles = (dir: string, name: string, { written }: RecordingStore): Sample => {
  const copy = mkdtempSync(join(SCRATCH, 'errand-sample-'))
  cpSync(dir, copy, { recursive: true })
  const found = FILES.filter((file) => existsSync(join(copy, file)))
  const files = Object.fromEntries(found.map((file) => [file, readFileSync(join(copy, file))]))
  rmSync(copy, { recursive: true })
  return { name, files, written: new Map([...written].map(([id, all]) => [id, [...all]])) }
}

/** Killed with everything in the log, closed, and killed with some in the file and some in the log. */
export const makeSamples = async (): Promise<readonly [Sample, Sample, Sample]> => {
  const dir = mkdtempSync(join(SCRATCH, 'errand-samples-'))
  const store = new RecordingStore(new SqliteAdapter({ dir, writer: 'inline' }))
  const open = async () => {
    const engine = new LocalEngine({ name: 'local', store, queueLimit: 1000 })
    await engine.open(host)
    engine.work([...PROCEDURES, 'long'])
    return engine
  }
  const first = await open()
  await startTasks(first, 0, 120)
  await startLongOnes(first, 5)
  const inLog = readFiles(dir, 'killed, all in the log', store)
  await first.close()
  const closed = readFiles(dir, 'closed', store)
  const second = await open()
  await startTasks(second, 120, 120)
  await startLongOnes(second, 5)
  const mixed = readFiles(dir, 'killed', store)
  await second.close()
  rmSync(dir, { recursive: true })
  return [inLog, closed, mixed]
}
