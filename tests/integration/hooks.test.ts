/** Middleware of task runs, carried context and the events of tasks: the same on every engine. */
import { createApp, createProcedure, inline, procedure, ProcedureError } from 'errand'
import type { AppOptions, TaskHappenings, TaskListeners, TaskMiddleware } from 'errand'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { module, procedures, useTask, type Context } from '../support/apps/hooked.ts'
import { ENGINES } from '../support/engines.ts'
import { recordingLogger, serve, type LogLine } from '../support/serve.ts'
import { until } from '../support/until.ts'

type Name = keyof TaskHappenings
type Told = { readonly [K in Name]: { readonly name: K; readonly event: TaskHappenings[K] } }[Name]

const NAMES: readonly Name[] = [
  'task:queued',
  'task:started',
  'task:progress',
  'task:retrying',
  'task:succeeded',
  'task:failed',
  'task:cancelled',
]

/** Listeners that remember. */
const recording = (told: Told[]): TaskListeners =>
  Object.fromEntries(NAMES.map((name) => [name, (event: never) => void told.push({ name, event })]))

const namesIn = (told: readonly Told[]): readonly string[] => told.map(({ name }) => name)

const createContext = ({ headers }: { headers: Headers }): Context => ({ user: headers.get('x-user') })

const OPTIONS = { module, useTask, createContext, owner: ({ user }: Context) => user } as const

describe.each(ENGINES)('on $name', ({ missing, place, multiHost }) => {
  const run = test.skipIf(missing !== undefined)

  run('every attempt runs inside useTask, with what was carried, and each change is told', async () => {
    const told: Told[] = []
    const api = await serve(procedures, { ...OPTIONS, tasks: (await place())(), on: recording(told) })
    const logs: { message: string; fields?: Record<string, unknown> }[] = []
    const started = await api.call('/visit/tasks', { fail: 1 }, { 'x-user': 'ada', 'task-delay': '2s' })
    const { id } = started.json as { id: string }
    for await (const event of api.app.tasks.handle(id).events())
      if (event.type === 'log') logs.push(event.log)
    const result = await api.get(`/tasks/${id}/result?wait=20`, { 'x-user': 'ada' })
    expect(result.json).toBe('ada at attempt 2')
    await until('the last event', () => told.some(({ name }) => name === 'task:succeeded'))

    expect(logs.map(({ message }) => message)).toEqual(
      [1, 2].flatMap(() => ['outer begins', 'inner begins', 'in the handler', 'outer ends']),
    )
    expect(logs[0]!.fields).toMatchObject({ path: 'visit', taskId: id, attempt: 1, user: 'ada' })
    expect(namesIn(told)).toEqual([
      'task:queued',
      'task:started',
      'task:progress',
      'task:retrying',
      'task:started',
      'task:progress',
      'task:succeeded',
    ])
    for (const { event } of told)
      expect(event).toMatchObject({ taskId: id, procedure: 'visit', owner: 'ada', maxAttempts: 3, tags: [] })
    expect(told.map(({ event }) => event.attempt)).toEqual([0, 1, 1, 1, 2, 2, 2])
    expect(told[3]!.event).toMatchObject({
      ms: expect.any(Number),
      wait: expect.any(Number),
      error: { code: 'INTERNAL_SERVER_ERROR', internal: { message: 'attempt 1 of ada failed' } },
    })
    expect(told[1]!.event).toMatchObject({ waited: expect.any(Number) })
    expect(told[2]!.event).toMatchObject({ progress: 1 })
    expect(told[6]!.event).toMatchObject({ result: 'ada at attempt 2', record: { status: 'succeeded' } })
  })

  run('what middleware throws fails the attempt, by the rules of a handler', async () => {
    const told: Told[] = []
    const api = await serve(procedures, { ...OPTIONS, tasks: (await place())(), on: recording(told) })
    const task = await api.app.tasks.start('visit', { refused: true })
    await expect(task.result()).rejects.toMatchObject({ code: 'INTERNAL_SERVER_ERROR' })
    await until('the last event', () => told.some(({ name }) => name === 'task:failed'))
    expect(namesIn(told).filter((name) => name === 'task:retrying')).toHaveLength(2)
    expect(told.at(-1)!.event).toMatchObject({
      attempt: 3,
      error: { internal: { message: 'refused by the inner one' } },
    })
  })

  test.skipIf(missing !== undefined || !multiHost)(
    'the host that accepts a task tells that, the one that runs it tells the rest',
    async () => {
      const join = await place()
      const [accepting, working]: [Told[], Told[]] = [[], []]
      const options = (on: Told[]): AppOptions<Context> => ({ ...OPTIONS, tasks: join(), on: recording(on) })
      const front = createApp(procedures, { profile: 'test', ...options(accepting) })
      onTestFinished(() => front.close())
      await front.listen({ port: 0, work: false, signals: false })
      const back = await serve(procedures, options(working))
      const task = await front.tasks.start('visit', {})
      await task.result()
      await until('the last event', () => namesIn(working).includes('task:succeeded'))
      expect(namesIn(accepting)).toEqual(['task:queued'])
      expect(namesIn(working)).toEqual(['task:started', 'task:progress', 'task:succeeded'])
      expect(back.logs).toEqual([])
    },
  )
})

const input = z.void()
const output = z.string()
const slow = procedure.task({ input, output, handler: () => 'done' })

describe('listeners', () => {
  test('that throw or reject are logged, and change nothing', async () => {
    const logs: LogLine[] = []
    const app = createApp(
      { slow },
      {
        profile: 'test',
        tasks: inline(),
        logger: recordingLogger(logs),
        on: {
          'task:queued': () => {
            throw new Error('thrown by a listener')
          },
          'task:succeeded': async () => {
            throw new Error('rejected by a listener')
          },
        },
      },
    )
    onTestFinished(() => app.close())
    expect(await (await app.tasks.start('slow', undefined)).result()).toBe('done')
    await until('both lines', () => logs.length === 2)
    expect(logs.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^A listener of task:queued threw \(task /),
      expect.stringMatching(/^A listener of task:succeeded threw \(task /),
    ])
  })

  test('are not waited for', async () => {
    const app = createApp(
      { slow },
      { profile: 'test', tasks: inline(), on: { 'task:started': () => new Promise(() => {}) } },
    )
    onTestFinished(() => app.close())
    expect(await (await app.tasks.start('slow', undefined)).result()).toBe('done')
  })

  test('may start tasks themselves', async () => {
    const started: string[] = []
    const app = createApp(
      { slow, after: slow },
      {
        profile: 'test',
        tasks: inline(),
        on: {
          'task:succeeded': async ({ procedure: path }) => {
            if (path === 'slow') started.push((await app.tasks.start('after', undefined)).id)
          },
        },
      },
    )
    onTestFinished(() => app.close())
    await (await app.tasks.start('slow', undefined)).result()
    const id = await until('the second start', () => started[0])
    expect(await app.tasks.handle(id).result()).toBe('done')
  })

  test('hear of a cancel', async () => {
    const told: Told[] = []
    const app = createApp({ slow }, { profile: 'test', tasks: inline(), on: recording(told) })
    onTestFinished(() => app.close())
    const task = await app.tasks.start('slow', undefined, { delay: '1h' })
    await task.cancel()
    expect(namesIn(told)).toEqual(['task:queued', 'task:cancelled'])
    expect(told[1]!.event).toMatchObject({ attempt: 0, record: { status: 'cancelled' } })
  })
})

describe('useTask', () => {
  const app = (layers: readonly TaskMiddleware[]) => {
    const made = createApp(
      { slow },
      { profile: 'test', logger: recordingLogger([]), tasks: inline(), useTask: layers },
    )
    onTestFinished(() => made.close())
    return made
  }
  const fails = async (layer: TaskMiddleware): Promise<string> => {
    const made = app([layer])
    const task = await made.tasks.start('slow', undefined)
    await task.result().catch(() => {})
    const record = await made.tasks.get(task.id)
    return record?.error?.message ?? 'it did not fail'
  }

  test('must return what next() gave, and calls it once', async () => {
    expect(await fails(async ({ next }) => void (await next()) as never)).toMatch(/return next\(\)/)
    expect(await fails(async ({ next }) => (await next(), next()))).toMatch(/called next\(\) twice/)
  })

  test('refuses with an error of its own, which the caller sees', async () => {
    const made = app([
      () => {
        throw new ProcedureError('FORBIDDEN', 'not at night')
      },
    ])
    const task = await made.tasks.start('slow', undefined)
    await expect(task.result()).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: 'not at night',
      attempts: [{ n: 1 }],
    })
  })
})

describe('use', () => {
  test('runs around every call in the order of the list, and may refuse before the input is looked at', async () => {
    const order: string[] = []
    const base = createProcedure<{ who: string | null }>()
    const note =
      (name: string) =>
      async ({ next }: { next: () => Promise<never> }) => {
        order.push(name)
        return next()
      }
    const api = await serve(
      {
        add: base.mutation({
          input: z.object({ n: z.int() }),
          output: z.int(),
          handler: ({ input: { n } }) => n,
        }),
        slow: base.task({ input, output, handler: () => 'done' }),
      },
      {
        tasks: inline(),
        createContext: ({ headers }) => ({ who: headers.get('x-who') }),
        use: [
          note('first') as never,
          ({ ctx, next }) => {
            if (ctx.who === null) throw new ProcedureError('UNAUTHORIZED', 'Who are you?')
            return next()
          },
          note('last') as never,
        ],
      },
    )
    expect((await api.call('/add', { n: 'wrong' })).status).toBe(401)
    expect((await api.call('/slow/tasks')).status).toBe(401)
    expect(order).toEqual(['first', 'first'])
    expect((await api.call('/add', { n: 1 }, { 'x-who': 'ada' })).json).toBe(1)
    expect((await api.call('/slow/tasks', undefined, { 'x-who': 'ada' })).status).toBe(202)
    expect(order.slice(2)).toEqual(['first', 'last', 'first', 'last'])
  })
})

test.each([
  [{ use: 5 }, 'use is not a list of functions, expected one such as [async ({ next }) => next()]'],
  [{ useTask: [1] }, 'useTask is not a list of functions'],
  [{ on: 7 }, 'on is not an object'],
  [{ on: { 'task:done': () => {} } }, 'unknown event on["task:done"], expected one of task:queued, '],
  [{ on: { 'task:failed': 1 } }, 'on["task:failed"] is not a function'],
])('the options %j stop the start', (options, words) => {
  expect(() => createApp({ slow }, { tasks: inline(), ...(options as object) })).toThrow(words)
})
