/** SIGTERM: nothing new is taken, what runs may end, the rest is given back, whoever waits is answered, and the process ends. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { startHost, type HostProcess } from '../support/host-process.ts'
import { eventsIn } from '../support/sse.ts'
import { talkTo } from '../support/serve.ts'
import { taskOf, type Task } from '../support/tasks.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

const MAIN = new URL('../fixtures/drain/main.ts', import.meta.url)

const hosts = new Set<HostProcess>()
afterEach(async () => {
  for (const host of hosts) host.kill('SIGKILL')
  await Promise.all([...hosts].map(({ ended }) => ended))
  hosts.clear()
})

const serve = async (dir: string, env: Record<string, string> = {}, options: { detached?: boolean } = {}) => {
  const host = startHost(MAIN, { DRAIN_DIR: dir, ...env }, options)
  hosts.add(host)
  const url = await host.url
  const api = talkTo(url)
  const start = async (procedure: string, gate: string): Promise<Task> => {
    const answer = await api.call(`/${procedure.replace('.', '/')}/tasks`, { gate })
    expect(answer.status, answer.text).toBe(202)
    return taskOf(answer)
  }
  const running = async (procedure: string, gate: string): Promise<Task> => {
    const { id } = await start(procedure, gate)
    return until('its start', async () => {
      const task = taskOf(await api.get(`/tasks/${id}`))
      return task.status === 'running' && task
    })
  }
  const isClosing = () => until('the drain', () => host.errors().includes('closing'))
  const end = (id: string) => api.get(`/tasks/${id}?wait=20`).then(taskOf)
  const events = (id: string) => fetch(`${url}/tasks/${id}/events`).then((response) => response.text())
  return { host, url, ...api, start, running, isClosing, end, events }
}

const open = (dir: string, gate: string): void => writeFileSync(join(dir, gate), '')

const KINDS = ['threads', 'processes', 'inline'] as const

describe.each(KINDS)('SIGTERM while tasks run on %s', { timeout: 60_000 }, (kind) => {
  test('lets those end that do in time, once, and gives the others back', async () => {
    const dir = await tempDir()
    const { host, ...first } = await serve(dir)
    const [ends, stays] = [await first.running(`${kind}.deaf`, 'a'), await first.running(`${kind}.deaf`, 'b')]
    const behind = await Promise.all([1, 2, 3].map(() => first.start(`${kind}.deaf`, 'c')))

    host.kill('SIGTERM')
    await first.isClosing()
    open(dir, 'a')
    expect(await first.end(ends.id)).toMatchObject({ status: 'succeeded', attempt: 1 })
    expect(await host.ended).toEqual({ code: 0, signal: null })

    const second = await serve(dir)
    expect(await second.end(ends.id)).toMatchObject({ status: 'succeeded', attempt: 1 })
    for (const gate of ['b', 'c']) open(dir, gate)
    const again = await second.end(stays.id)
    expect(again).toMatchObject({ status: 'succeeded', attempt: 2, result: { attempt: 2 } })
    expect(again.attempts[0]?.error).toMatchObject({
      code: 'WORKER_LOST',
      message: 'WorkerLost: The process stopped before the attempt ended',
    })
    for (const { id } of behind) expect(await second.end(id)).toMatchObject({ status: 'succeeded' })
  })

  test('takes what running tasks start, for without it they could not end', async () => {
    const dir = await tempDir()
    const { host, ...first } = await serve(dir)
    const parent = await first.running(`${kind}.parent`, 'a')
    host.kill('SIGTERM')
    await first.isClosing()
    open(dir, 'a')
    const { status, result, attempt } = await first.end(parent.id)
    expect([status, attempt]).toEqual(['succeeded', 1])
    expect(await host.ended).toEqual({ code: 0, signal: null })
    open(dir, 'child')
    expect(await (await serve(dir)).end(result as string)).toMatchObject({ status: 'succeeded', attempt: 1 })
  })

  test('does not blame a handler that throws because it was told to stop', async () => {
    const dir = await tempDir()
    const { host, ...first } = await serve(dir, { DRAIN_GRACE: '0' })
    const { id } = await first.running(`${kind}.heeding`, 'a')
    host.kill('SIGTERM')
    expect(await host.ended).toEqual({ code: 0, signal: null })
    expect(host.errors()).not.toContain('error:')
    open(dir, 'a')
    const second = await serve(dir)
    expect(await second.end(id)).toMatchObject({ attempt: 2, status: 'succeeded' })
  })
})

describe('while it drains', { timeout: 60_000 }, () => {
  test('a server reads for everybody, starts nothing, and keeps no connection', async () => {
    const dir = await tempDir()
    const { host, ...api } = await serve(dir, { DRAIN_GRACE: '20000' })
    const { id } = await api.running('threads.deaf', 'a')
    host.kill('SIGTERM')
    await api.isClosing()
    const refused = await api.call('/threads/deaf/tasks', { gate: 'a' }, { connection: 'keep-alive' })
    expect(refused).toMatchObject({ status: 503, json: { code: 'SERVICE_UNAVAILABLE' } })
    expect(refused.headers).toMatchObject({ 'retry-after': '5', connection: 'close' })
    const read = await api.get(`/tasks/${id}`, { connection: 'keep-alive' })
    expect([read.status, read.headers.connection]).toEqual([200, 'close'])
    expect((await api.get('/healthz')).status).toBe(200)
    const ready = await api.get('/readyz')
    expect([ready.status, ready.json]).toEqual([503, { status: 'draining' }])
    open(dir, 'a')
    expect(await host.ended).toEqual({ code: 0, signal: null })
    expect(host.errors()).not.toContain('error:')
  })

  test('and before it does, for drainDelay, everything goes on, and /readyz alone says what is to come', async () => {
    const dir = await tempDir()
    const { host, ...api } = await serve(dir, { DRAIN_DELAY: '3000' })
    host.kill('SIGTERM')
    await api.isClosing()
    const ready = await api.get('/readyz')
    expect([ready.status, ready.json]).toEqual([503, { status: 'draining' }])
    const { id } = await api.start('inline.deaf', 'a')
    open(dir, 'a')
    expect(await api.end(id)).toMatchObject({ status: 'succeeded', attempt: 1 })
    expect(await host.ended).toEqual({ code: 0, signal: null })
  })

  test('a second signal ends it in the middle of that, too', async () => {
    const { host, ...api } = await serve(await tempDir(), { DRAIN_DELAY: '600000' })
    host.kill('SIGTERM')
    await api.isClosing()
    const timer = setInterval(() => host.kill('SIGTERM'), 300)
    expect(await host.ended).toEqual({ code: 143, signal: null })
    clearInterval(timer)
  })

  test('whoever waits is answered: with the output, or with where the task goes on', async () => {
    const dir = await tempDir()
    const { host, ...api } = await serve(dir, { DRAIN_GRACE: '1000' })
    const waiting = ['a', 'b'].map((gate) => api.call('/threads/deaf', { gate }))
    const [ends, stays] = await until('both', async () => {
      const page = (await api.get('/tasks?status=running')).json as { items: Task[] }
      return page.items.length === 2 && page.items.toReversed()
    })
    const polling = api.get(`/tasks/${stays!.id}?wait=30`)
    const watching = [ends!, stays!].map(({ id }) => api.events(id))
    const run = api.call('/trpc/threads.deaf.run', { gate: 'b' })
    await until('the third', async () => (await api.get('/tasks?status=queued')).text.includes('"id"'))

    host.kill('SIGTERM')
    await api.isClosing()
    open(dir, 'a')
    expect(await waiting[0]).toMatchObject({ status: 200, json: { attempt: 1 } })
    const later = await waiting[1]!
    expect([later.status, later.headers.location]).toEqual([202, `/tasks/${stays!.id}`])
    expect((await polling).status).toBe(200)
    expect(eventsIn(await watching[0]!).at(-1)).toMatchObject({ event: 'done' })
    expect(eventsIn(await watching[1]!).at(-1)).toMatchObject({ event: 'state' })
    expect((await run).text).toContain('The server is shutting down; task')
    expect(await host.ended).toEqual({ code: 0, signal: null })
  })
})

describe('a signal', { timeout: 60_000 }, () => {
  test('to the whole process group leaves worker processes to the host', async () => {
    const dir = await tempDir()
    const { host, ...api } = await serve(dir, {}, { detached: true })
    const { id } = await api.running('processes.deaf', 'a')
    process.kill(-host.pid, 'SIGINT')
    await api.isClosing()
    open(dir, 'a')
    expect(await api.end(id)).toMatchObject({ status: 'succeeded', attempt: 1 })
    expect(await host.ended).toEqual({ code: 0, signal: null })
  })

  test('twice at the same moment counts once; once more, later, ends the process, and nothing is lost', async () => {
    const dir = await tempDir()
    const { host, ...api } = await serve(dir, { DRAIN_GRACE: '60000' })
    const { id } = await api.running('threads.deaf', 'a')
    host.kill('SIGTERM')
    host.kill('SIGTERM')
    await api.isClosing()
    expect((await api.get(`/tasks/${id}`)).status).toBe(200)
    const timer = setInterval(() => host.kill('SIGTERM'), 300)
    expect(await host.ended).toEqual({ code: 143, signal: null })
    clearInterval(timer)
    open(dir, 'a')
    expect(await (await serve(dir)).end(id)).toMatchObject({ status: 'succeeded', attempt: 2 })
  })

  test('ends a process that something still holds open', async () => {
    const { host } = await serve(await tempDir(), { DRAIN_HABIT: 'holds' })
    host.kill('SIGINT')
    expect(await host.ended).toEqual({ code: 0, signal: null })
  })

  test('leaves the end to whoever listens for it too', async () => {
    const { host } = await serve(await tempDir(), { DRAIN_HABIT: 'listens' })
    host.kill('SIGTERM')
    expect(await host.ended).toEqual({ code: 7, signal: null })
  })

  test('is none of our business with signals: false', async () => {
    const { host } = await serve(await tempDir(), { DRAIN_SIGNALS: 'none' })
    host.kill('SIGTERM')
    expect(await host.ended).toEqual({ code: null, signal: 'SIGTERM' })
  })
})
