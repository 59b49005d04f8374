/** The log: a line for each request and each change of a task, in whose words whoever reads it can find all of one. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createApp, inline, procedure, type AppOptions } from 'errand'
import pino from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { ENGINES } from '../support/engines.ts'
import { module, procedures, useTask, type Context } from '../support/apps/hooked.ts'
import { serve, serveApp } from '../support/serve.ts'
import { until } from '../support/until.ts'

type Line = Readonly<Record<string, unknown>>

/** A pino of the test's own: the lines as they would be written. */
const memoryLog = (level = 'debug') => {
  const lines: Line[] = []
  const logger = pino({ level, base: null }, { write: (line) => void lines.push(JSON.parse(line) as Line) })
  return { lines, logger }
}

const add = procedure.query({
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.number(),
  handler: ({ input }) => input.a + input.b,
})
const fails = procedure.mutation({
  input: z.void(),
  output: z.void(),
  handler: () => {
    throw new Error('of ours')
  },
})
const talks = procedure.task({
  input: z.object({ fail: z.boolean().default(false) }),
  output: z.void(),
  retry: { attempts: 2, initial: 1 },
  handler: ({ input, log, attempt }) => {
    log.info('it talks', {
      password: 'p1',
      nested: { apiKey: 'p2', headers: { authorization: 'p3', 'Set-Cookie': 'p4' } },
      list: [{ accessToken: 'p5' }],
      taskId: 'mine',
      user: 'ada',
    })
    if (input.fail && attempt === 1) throw new Error('once')
  },
})

const withLog = async (options: AppOptions<{ user: string | null }> = {}) => {
  const { lines, logger } = memoryLog()
  const api = await serve(
    { add, fails, talks },
    {
      profile: 'production',
      logger,
      tasks: inline(),
      createContext: ({ headers }) => ({ user: headers.get('x-user') }),
      owner: ({ user }) => user,
      ...options,
    },
  )
  return { ...api, lines, requests: () => lines.filter(({ msg }) => msg === 'request') }
}

describe('a request', () => {
  test('is one line over REST, with what was asked, by whom, and how it was answered', async () => {
    const { call, requests } = await withLog()
    await call('/add?token=secret', { a: 1, b: 2 }, { 'x-user': 'ada' })
    expect(requests()).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        msg: 'request',
        requestId: expect.stringMatching(/^[\da-f-]{36}$/),
        method: 'POST',
        path: '/add',
        status: 200,
        ms: expect.any(Number),
        procedure: 'add',
        owner: 'ada',
      },
    ])
  })

  test('is one line over tRPC, a batch and a delegated one too', async () => {
    const { get, requests } = await withLog()
    const input = encodeURIComponent(JSON.stringify({ 0: { a: 1, b: 2 }, 1: { a: 3, b: 4 } }))
    await get(`/trpc/add,add?batch=1&input=${input}`)
    await get(`/trpc/add,add?batch=1&input=${input}`, { 'trpc-accept': 'application/jsonl' })
    expect(requests()).toMatchObject([
      { procedure: 'add,add', status: 200 },
      { procedure: 'add,add', status: 200 },
    ])
  })

  test('is a line when nothing is there, too; probes are for debugging', async () => {
    const { get, requests } = await withLog()
    await get('/nowhere')
    await get('/healthz')
    expect(requests()).toMatchObject([
      { level: 30, path: '/nowhere', status: 404 },
      { level: 20, path: '/healthz', status: 200, procedure: 'routes.healthz' },
    ])
  })

  test('has the name that its caller gave it, in the answer, the line, and the line of its failure', async () => {
    const { call, lines } = await withLog()
    const answer = await call('/fails', undefined, { 'x-request-id': 'order-7.a' })
    expect(answer.status).toBe(500)
    expect(answer.headers['x-request-id']).toBe('order-7.a')
    expect(lines).toMatchObject([
      { level: 50, requestId: 'order-7.a', path: 'fails', err: { message: 'of ours' } },
      { level: 30, requestId: 'order-7.a', status: 500 },
    ])
  })

  test.each(['', 'a b', 'x'.repeat(129), '"quoted"', '{}'])(
    'gets another name than %j, which is not fit to be one',
    async (sent) => {
      const { call, requests } = await withLog()
      const answer = await call('/add', { a: 1, b: 2 }, { 'x-request-id': sent })
      expect(answer.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/)
      expect(requests()[0]!['requestId']).toBe(answer.headers['x-request-id'])
    },
  )

  test('has its name in createContext, and a stranger has none', async () => {
    const seen: string[] = []
    const { call, requests } = await withLog({
      createContext: ({ requestId }) => {
        seen.push(requestId)
        return { user: null }
      },
    })
    const answer = await call('/add', { a: 1, b: 2 })
    expect(seen).toEqual([answer.headers['x-request-id']])
    expect(requests()[0]).not.toHaveProperty('owner')
  })

  test('that starts a task has its id', async () => {
    const { call, requests } = await withLog()
    const { id } = (await call('/talks/tasks', {})).json as { id: string }
    await call('/trpc/talks.start', {})
    expect(requests()).toMatchObject([
      { procedure: 'talks', status: 202, taskId: id },
      { procedure: 'talks.start', status: 200, taskId: expect.any(String) },
    ])
  })
})

describe('a task', () => {
  test('is a line for each change, and what its handler logs has its fields and no secrets', async () => {
    const { call, get, lines } = await withLog()
    const { id } = (await call('/talks/tasks', { fail: true }, { 'x-user': 'ada' })).json as { id: string }
    await get(`/tasks/${id}/result?wait=20`, { 'x-user': 'ada' })
    await until('the last line', () => lines.some(({ msg }) => msg === 'task succeeded'))
    const ofTask = lines.filter(({ msg, level }) => msg !== 'request' && level !== 50)
    expect(ofTask.map(({ msg }) => msg)).toEqual([
      'task queued',
      'task started',
      'it talks',
      'task retrying',
      'task started',
      'it talks',
      'task succeeded',
    ])
    for (const line of ofTask) expect(line).toMatchObject({ taskId: id, procedure: 'talks', owner: 'ada' })
    expect(ofTask.map(({ attempt }) => attempt)).toEqual([0, 1, 1, 1, 2, 2, 2])
    expect(ofTask[1]).toMatchObject({ waited: expect.any(Number) })
    expect(ofTask[3]).toMatchObject({ level: 40, ms: expect.any(Number), code: 'INTERNAL_SERVER_ERROR' })
    expect(ofTask[2]).toMatchObject({
      user: 'ada',
      password: '[redacted]',
      nested: {
        apiKey: '[redacted]',
        headers: { authorization: '[redacted]', 'Set-Cookie': '[redacted]' },
      },
      list: [{ accessToken: '[redacted]' }],
    })
    const failure = lines.find(({ level }) => level === 50)
    expect(failure).toMatchObject({ taskId: id, attempt: 1, err: { message: 'once' } })
    expect(JSON.stringify(lines)).not.toMatch(/"p\d"/)
  })

  test.each(ENGINES)('logs from its worker into the log of its host on $name', async ({ missing, place }) => {
    if (missing !== undefined) return
    const { lines, logger } = memoryLog()
    const createContext = (): Context => ({ user: 'ada' })
    const app = createApp(procedures, {
      profile: 'production',
      logger,
      module,
      useTask,
      createContext,
      tasks: (await place())(),
    })
    onTestFinished(() => app.close())
    await app.listen({ port: 0, signals: false })
    const task = await app.tasks.start('visit', {})
    await task.result()
    const line = await until('the line', () => lines.find(({ msg }) => msg === 'in the handler'))
    expect(line).toMatchObject({ level: 30, taskId: task.id, procedure: 'visit', attempt: 1 })
  })
})

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** What a process of its own writes whose app has this as its logger. */
const written = async (logger: string, env: Record<string, string> = {}) => {
  const code = `
    import { createApp, procedure } from 'errand'
    import { z } from 'zod'
    const fails = procedure.query({ input: z.void(), output: z.void(), handler: () => { throw new Error('of ours') } })
    const app = createApp({ fails }, { logger: ${logger} })
    await app.fetch(new Request('http://a/fails', { method: 'POST', headers: { 'x-request-id': 'r1' } }))`
  const args = ['--conditions=errand-source', '--input-type=module', '-e', code]
  const options = { cwd: root, env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', ...env } }
  return run(process.execPath, args, options)
}

const linesIn = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

describe('the log of an app that has no logger', () => {
  test('is JSON on standard error, complete when the process ends', async () => {
    const { stdout, stderr } = await written('undefined')
    expect(stdout).toBe('')
    expect(linesIn(stderr)).toMatchObject([
      { level: 'error', time: expect.stringMatching(/Z$/), requestId: 'r1', err: { message: 'of ours' } },
      { level: 'info', msg: 'request', requestId: 'r1', status: 500 },
    ])
  })

  test('has what went wrong alone in the test profile, but for those who ask for more', async () => {
    const { stderr } = await written('undefined', { NODE_ENV: 'test' })
    expect(linesIn(stderr)).toMatchObject([{ level: 'error' }])
    const asked = await written("{ level: 'info' }", { NODE_ENV: 'test' })
    expect(linesIn(asked.stderr)).toMatchObject([{ level: 'error' }, { level: 'info' }])
  })

  test('goes where it is told to, for people, without what is not for them', async () => {
    const options = "{ to: 'stdout', format: 'pretty', redact: ['path'] }"
    const { stdout, stderr } = await written(options, { NO_COLOR: '1' })
    expect(stderr).toBe('')
    expect(stdout).toMatch(
      /^[\d:.]+ ERROR fails failed: Error: of ours path=\[redacted\] .*requestId=r1\nError: of ours\n +at /,
    )
    expect(stdout).toMatch(/\n[\d:.]+ INFO {2}request requestId=r1 method=POST path=\[redacted\] status=500/)
  })

  test('is nothing at all where it is false or silent', async () => {
    expect(await written('false')).toEqual({ stdout: '', stderr: '' })
    expect(await written("{ level: 'silent' }")).toEqual({ stdout: '', stderr: '' })
  })
})

test('a logger that throws fails no call', async () => {
  const full = (): never => {
    throw new Error('the disk is full')
  }
  const { logger } = { logger: { error: full, warn: full, info: full } }
  const api = await serveApp(createApp({ add }, { profile: 'production', logger }))
  expect((await api.call('/add', { a: 1, b: 2 })).json).toBe(3)
})

test.each([
  [7, 'logger is 7, expected a logger'],
  [{ level: 'loud' }, 'logger.level is "loud"'],
  [{ colour: true }, 'logger.colour is unknown'],
  [{ error: () => {} }, 'logger has no method warn(fields, message)'],
])('the logger %j stops the start', (logger, words) => {
  expect(() => createApp({ add }, { logger: logger as never })).toThrow(words)
})
