/**
 * Whatever a handler does to its worker: its caller gets a typed error or a retry, nobody else is hurt, nothing hangs, and
 * all workers serve on. Through a real app; `tests/conformance/executor-suite.ts` has what an executor promises by itself.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { local, TaskError } from 'errand'
import { module, procedures, type Deed } from '../support/apps/faults.ts'
import { problemOf } from '../support/http.ts'
import { serve, type Served } from '../support/serve.ts'
import { eventsIn } from '../support/sse.ts'
import { taskOf, type Task } from '../support/tasks.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

const WORKERS = 2

type Kind = keyof typeof procedures

/** How a misdeed ends when it is done at every attempt. */
interface Ending {
  readonly code: string
  readonly status: number
  /** What the log says. */
  readonly why: RegExp
}

const lost = (why: RegExp): Ending => ({ code: 'WORKER_LOST', status: 500, why })
const thrown = (why: RegExp): Ending => ({ code: 'INTERNAL_SERVER_ERROR', status: 500, why })
const invalid = (why: RegExp): Ending => ({ code: 'OUTPUT_INVALID', status: 500, why })

type Fatal = Exclude<Deed, 'spins' | 'neverSettles'>

const ENDINGS: Readonly<Record<Fatal, Ending>> = {
  exits0: lost(/exited with code 0/),
  exits1: lost(/exited with code 1/),
  throwsUncaught: lost(/uncaught RangeError: thrown in a timer/),
  throwsUncaughtNull: lost(/uncaught/),
  rejectsUnheard: lost(/uncaught RangeError: rejected unheard/),
  fillsMemory: lost(/out of memory/),
  overflows: thrown(/Maximum call stack size exceeded/),
  throwsNothing: thrown(/undefined/),
  aborts: lost(/SIGABRT/),
  givesBigInt: invalid(/BigInt/),
  givesFunction: invalid(/function/),
  givesCircular: invalid(/contains itself/),
}

/** What a thread can't do, it is told by Node. */
const ON: Readonly<Record<Kind, Partial<Record<Fatal, Ending>>>> = {
  threads: { aborts: thrown(/process.abort\(\) is not supported in workers/) },
  processes: {},
}

const served = async () => {
  const dir = await tempDir()
  const api = await serve(procedures, {
    module,
    profile: 'development',
    tasks: local({ dir, threads: WORKERS, processes: WORKERS, memoryLimit: '64mb' }),
  })
  return { ...api, dir }
}

const start = async (api: Served, path: string, input?: unknown): Promise<Task> => {
  const answer = await api.call(`${path}/tasks`, input)
  expect(answer.status, answer.text).toBe(202)
  return taskOf(answer)
}

const endOf = (api: Served, { id }: Task): Promise<Task> => api.get(`/tasks/${id}?wait=20`).then(taskOf)

/** Waits until a task is at work. */
const begun = (api: Served, { id }: Task): Promise<Task> =>
  until('its beginning', async () => {
    const task = taskOf(await api.get(`/tasks/${id}`))
    return task.status === 'running' && task
  })

/** As many tasks at once as there are workers, none of which ends before all are there. */
const fullCapacity = async (api: Served & { dir: string }, kind: Kind): Promise<void> => {
  const dir = await mkdtemp(join(api.dir, 'meet-'))
  const started = Array.from({ length: WORKERS }, (_, n) =>
    api.call(`/${kind}/meets`, { dir, me: String(n), expected: WORKERS }),
  )
  for (const answer of await Promise.all(started)) expect(answer.status, answer.text).toBe(200)
}

describe.each<Kind>(['threads', 'processes'])('on %s', { timeout: 60_000 }, async (kind) => {
  const api = await served()

  /** Runs beside the others in a worker of its own, until it is told. */
  const bystander = async () => {
    const dir = await mkdtemp(join(api.dir, 'stand-'))
    const task = await start(api, `/${kind}/bystands`, { dir })
    const go = () => writeFile(join(dir, 'go'), '')
    onTestFinished(go)
    await begun(api, task)
    return async (): Promise<void> => {
      await go()
      expect(await endOf(api, task)).toMatchObject({ status: 'succeeded', attempt: 1 })
    }
  }

  test.each(Object.entries({ ...ENDINGS, ...ON[kind] }))('%s', async (deed, { code, status, why }) => {
    const unhurt = await bystander()
    const path = `/${kind}/${deed}`
    expect((await api.call(path, { times: 1 })).json).toBe('good at 2')
    const { id } = await start(api, path, {})
    const problem = await api.get(`/tasks/${id}/result?wait=20`)
    expect([problem.status, problemOf(problem).code]).toEqual([status, code])
    const handle = api.app.tasks.handle(id)
    const error = await handle.result({ timeout: '20s' }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(TaskError)
    expect(error).toMatchObject({ code })
    const failure = expect.objectContaining({ code, message: expect.stringMatching(why) as string }) as object
    expect((await handle.record()).attempts.map((attempt) => attempt.error)).toEqual([failure, failure])
    await unhurt()
    await fullCapacity(api, kind)
  })

  test.each(['spins', 'neverSettles', 'heeds'])('a handler that %s past its timeout', async (deed) => {
    const unhurt = await bystander()
    expect((await api.call(`/${kind}/late/${deed}`, { times: 1 })).json).toBe('good at 2')
    const answer = await api.call(`/${kind}/late/${deed}`, {})
    expect([answer.status, problemOf(answer).code]).toEqual([504, 'TASK_TIMEOUT'])
    await unhurt()
    await fullCapacity(api, kind)
  })

  test.each(['spins', 'neverSettles', 'heeds'])('a handler that %s past its deadline', async (deed) => {
    const unhurt = await bystander()
    const answer = await api.call(`/${kind}/overdue/${deed}`, {})
    expect([answer.status, problemOf(answer).code]).toEqual([504, 'DEADLINE_EXCEEDED'])
    await unhurt()
    await fullCapacity(api, kind)
  })

  test.each(['spins', 'neverSettles'])('a handler that %s and is cancelled', async (deed) => {
    const unhurt = await bystander()
    const task = await start(api, `/${kind}/stubborn/${deed}`, {})
    await begun(api, task)
    expect((await api.send(`POST /tasks/${task.id}/cancel`)).status).toBe(202)
    expect(await endOf(api, task)).toMatchObject({ status: 'cancelled', attempt: 1 })
    expect(problemOf(await api.get(`/tasks/${task.id}/result`))).toMatchObject({
      status: 409,
      code: 'CANCELLED',
    })
    await unhurt()
    await fullCapacity(api, kind)
  })

  test('a handler that closes its own channel ends all the same', async () => {
    const unhurt = await bystander()
    const { json } = await api.call(`/${kind}/closesItsChannel`, { times: 1 })
    expect(json).toBe({ threads: 'it had another', processes: 'good at 2' }[kind])
    await unhurt()
    await fullCapacity(api, kind)
  })

  test('a throw after the end is no result, and no reason for the next to fail for good', async () => {
    for (const ms of [0, 30, 100]) {
      expect((await api.call(`/${kind}/throwsAfterItsEnd`, { ms })).json).toBe('fine')
      await fullCapacityAtLast(api, kind)
    }
    // Told to whoever ran in it at the time, or to nobody but the log. Its last words may be lost with it.
    const isReport = /a worker died: (uncaught|it exited)|WorkerLost: The worker died: (uncaught|it exited)/
    await until('the report', () => api.logs.some(({ message }) => isReport.test(message)))
  })

  test('a flood of progress and log lines is borne, by who watches too', async () => {
    const times = 20_000
    const task = await start(api, `/${kind}/floods`, { times })
    const watching = fetch(`${api.url}${task.links['events']}`).then((response) => response.text())
    const read = await api.get('/healthz')
    expect(read.status).toBe(200)
    expect(await endOf(api, task)).toMatchObject({
      status: 'succeeded',
      result: times,
      progress: { n: times },
    })
    expect(eventsIn(await watching).at(-1)).toMatchObject({ event: 'done' })
  })

  test('a variable that was set before the start is there, and the memory is what the option says', async () => {
    process.env['FAULTS_VARIABLE'] = 'set before'
    const own = await served()
    const { json } = await own.call(`/${kind}/knows`, { variable: 'FAULTS_VARIABLE' })
    expect(json).toMatchObject({ value: 'set before' })
    expect((json as { heap: number }).heap).toBeLessThan(400)
  })
})

/** A worker that is about to die may still take a task with it: that is retried by whoever asked for it. */
const fullCapacityAtLast = (api: Served & { dir: string }, kind: Kind): Promise<true> =>
  until('full capacity', () =>
    fullCapacity(api, kind).then(
      () => true,
      () => false,
    ),
  )

describe('a worker process', { timeout: 60_000 }, async () => {
  const api = await served()

  test('that somebody else kills', async () => {
    const task = await start(api, '/processes/waits')
    const { pid } = await until(
      'its process id',
      async () => taskOf(await api.get(`/tasks/${task.id}`)).progress as { pid: number } | undefined,
    )
    process.kill(pid, 'SIGKILL')
    const ended = await endOf(api, task)
    expect(ended).toMatchObject({ status: 'succeeded', result: 2 })
    expect(ended.attempts[0]?.error).toMatchObject({
      code: 'WORKER_LOST',
      message: expect.stringContaining('SIGKILL') as string,
    })
    await fullCapacity(api, 'processes')
  })
})
