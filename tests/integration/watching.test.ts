/** Watching a task over real sockets: readers that are slow, many, or gone, and whatever they send as the last id. */
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createTRPCClient, httpBatchLink } from '@trpc/client'
import { createApp, inline, procedure } from 'errand'
import { errandLinks, startTask } from 'errand/client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { Channel } from '../../src/tasks/engines/channel.ts'
import { recordingLogger, serveApp, type LogLine } from '../support/serve.ts'
import { eventsIn, type Sse } from '../support/sse.ts'
import { taskOf } from '../support/tasks.ts'
import { until } from '../support/until.ts'

/** Lets tasks end, by name. */
const gates = new Map<string, PromiseWithResolvers<void>>()
const newGate = (): string => {
  const name = String(gates.size)
  gates.set(name, Promise.withResolvers<void>())
  return name
}
const openGate = (name: string): void => gates.get(name)?.resolve()

const procedures = {
  waits: procedure.task({
    input: z.object({ gate: z.string() }),
    output: z.string(),
    progress: z.object({ step: z.int() }),
    handler: async ({ input, progress }) => {
      progress({ step: 1 })
      await gates.get(input.gate)?.promise
      return 'done'
    },
  }),
  // Reports as fast as it may, which is far faster than anybody reads.
  chatters: procedure.task({
    input: z.object({ gate: z.string(), reports: z.int() }),
    output: z.string(),
    progress: z.object({ step: z.int(), text: z.string() }),
    handler: async ({ input, progress }) => {
      await gates.get(input.gate)?.promise
      for (let step = 1; step <= input.reports; step++) {
        progress({ step, text: 'x'.repeat(1000) })
        if (step % 100 === 0) await turn()
      }
      return 'said'
    },
  }),
}

const logs: LogLine[] = []
const app = createApp(procedures, {
  profile: 'test',
  tasks: inline(),
  cors: true,
  logger: recordingLogger(logs),
})
const { url, port, call, get, send } = await serveApp(app)
const trpc = createTRPCClient<typeof app.router>({ links: errandLinks({ url }) })

/** The channels that are watched, as the engine has them. */
const spyOnChannels = (): Set<Channel> => {
  const channels = new Set<Channel>()
  const { join } = Channel.prototype
  const spy = vi.spyOn(Channel.prototype, 'join').mockImplementation(function (this: Channel, ...args) {
    channels.add(this)
    return join.apply(this, args)
  })
  onTestFinished(() => spy.mockRestore())
  return channels
}
const watchersOf = (channels: ReadonlySet<Channel>): number =>
  [...channels].reduce((sum, { watchers }) => sum + watchers, 0)

const start = async (path: string, input: object): Promise<string> =>
  taskOf(await call(`/${path}/tasks`, input)).id

const doors = [
  { door: 'REST', path: (name: string, id: string) => `/${name}/tasks/${id}/events` },
  {
    door: 'tRPC',
    path: (name: string, id: string) =>
      `/trpc/${name}.watch?input=${encodeURIComponent(JSON.stringify({ id }))}`,
  },
]

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes in use. */
const memory = (): number => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** A connection that asks for events and reads none until it is told to. */
const ask = async (path: string): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1' })
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  return socket
}

const readAll = async (socket: Socket): Promise<string> => {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

/** Events of either door, without the chunks of HTTP. */
const eventsOf = (text: string): { type: string; step?: number }[] => {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4).replaceAll(/\r\n[0-9a-f]+\r\n/g, '')
  return [...body.matchAll(/"type":"(\w+)"|event: (state|progress|gap|done)\n|"step":(\d+),"text"/g)].map(
    ([, ofTrpc, ofRest, step]) =>
      step === undefined ? { type: (ofTrpc ?? ofRest) as string } : { type: 'step', step: Number(step) },
  )
}

describe.each(doors)('over $door', ({ path }) => {
  test('a reader that reads nothing costs no memory, and meets a gap, the state and the end', async () => {
    const channels = spyOnChannels()
    const gate = newGate()
    const reports = 100_000
    const id = await start('chatters', { gate, reports })
    const socket = await ask(path('chatters', id))
    await until('the watcher', () => watchersOf(channels) === 1)
    const before = memory()
    openGate(gate)
    await get(`/tasks/${id}?wait=30`)
    // All of it would be 100 MB.
    expect(memory() - before).toBeLessThan(20_000_000)
    const events = eventsOf(await readAll(socket))
    const gap = events.findIndex(({ type }) => type === 'gap')
    expect(gap).toBeGreaterThan(0)
    expect(events.slice(gap).map(({ type }) => type)).toContain('state')
    const steps = events.flatMap(({ step }) => step ?? [])
    expect(steps).toEqual([...steps].sort((a, b) => a - b))
    expect(steps.at(-1)).toBe(reports)
    expect(events.map(({ type }) => type)).toContain('done')
    expect(watchersOf(channels)).toBe(0)
  })

  test('a thousand watch one task, all see its end, and nothing is left of them', async () => {
    const channels = spyOnChannels()
    const gate = newGate()
    const id = await start('waits', { gate })
    const sockets = await Promise.all(Array.from({ length: 1000 }, () => ask(path('waits', id))))
    await until('all watchers', () => watchersOf(channels) === 1000, 25_000)
    expect(channels.size).toBe(1)
    openGate(gate)
    const texts = await Promise.all(sockets.map(readAll))
    for (const text of texts) {
      expect(text).toMatch(/"type":"done"|event: done/)
      expect(text).toMatch(/^connection: close\r$/im)
    }
    await until('the end of all', () => watchersOf(channels) === 0)
  })

  test('watchers that hang up are gone at once', async () => {
    const channels = spyOnChannels()
    const gate = newGate()
    const id = await start('waits', { gate })
    const sockets = await Promise.all(Array.from({ length: 50 }, () => ask(path('waits', id))))
    await until('all watchers', () => watchersOf(channels) === 50)
    for (const socket of sockets.slice(1)) socket.destroy()
    await until('the end of all but one', () => watchersOf(channels) === 1)
    sockets[0]?.destroy()
    await until('the end of the last', () => watchersOf(channels) === 0)
    openGate(gate)
    expect(logs.filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('who comes back', () => {
  const GARBAGE = [
    '',
    ' ',
    'x',
    '.',
    '-1',
    '1',
    '0'.repeat(5000),
    '{}',
    '%00',
    '\u00ff\u00fe',
    'null',
    '../..',
    'a,b',
  ]

  const eventsAfter = async (id: string, last: string): Promise<Sse[]> =>
    eventsIn((await get(`/tasks/${id}/events`, { 'last-event-id': last })).text)

  test('with garbage, to a task that runs or has ended, begins anew after a gap', async () => {
    const ended = await start('waits', { gate: 'none' })
    await get(`/tasks/${ended}?wait=10`)
    for (const last of GARBAGE) {
      const gate = newGate()
      const id = await start('waits', { gate })
      const events = eventsAfter(id, last)
      openGate(gate)
      const kinds = (await events).map(({ event }) => event)
      expect([last, kinds.at(-1)]).toEqual([last, 'done'])
      expect(last.trim() === '' || kinds.slice(0, 2)).toEqual(last.trim() === '' || ['gap', 'state'])
      expect([last, ...(await eventsAfter(ended, last)).map(({ event }) => event).slice(-2)]).toEqual([
        last,
        'state',
        'done',
      ])
    }
  })

  test('after the end is told to stay away, by every id of the end', async () => {
    const id = await start('waits', { gate: 'none' })
    await get(`/tasks/${id}?wait=10`)
    const events = eventsIn((await get(`/tasks/${id}/events`)).text)
    const [state, done] = events.map((event) => event.id as string)
    expect(await get(`/tasks/${id}/events`, { 'last-event-id': done as string })).toMatchObject({
      status: 204,
      text: '',
    })
    expect((await eventsAfter(id, state as string)).map(({ event }) => event)).toEqual(['done'])
  })
})

describe('the events route', () => {
  test('answers HEAD without a watcher, and OPTIONS with its methods', async () => {
    const channels = spyOnChannels()
    const gate = newGate()
    const id = await start('waits', { gate })
    const head = await send(`HEAD /tasks/${id}/events`)
    expect([head.status, head.type, head.text]).toEqual([200, 'text/event-stream', ''])
    expect(watchersOf(channels)).toBe(0)
    const options = await send(`OPTIONS /tasks/${id}/events`)
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS'])
    const asked = { origin: 'https://page.example', 'access-control-request-method': 'GET' }
    const preflight = await send(`OPTIONS /tasks/${id}/events`, {
      headers: { ...asked, 'access-control-request-headers': 'last-event-id' },
    })
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'last-event-id',
    })
    expect((await send(`POST /tasks/${id}/events`)).status).toBe(405)
    openGate(gate)
  })

  test('lets go of a watcher whose answer is cancelled, where no connection says so', async () => {
    const channels = spyOnChannels()
    const gate = newGate()
    const id = await start('waits', { gate })
    const response = await app.fetch(new Request(`http://test/tasks/${id}/events`))
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await reader.read()
    void reader.read()
    await until('the watcher', () => watchersOf(channels) === 1)
    await reader.cancel()
    await until('the end of the watcher', () => watchersOf(channels) === 0)
    openGate(gate)
  })
})

test('a handle on the server that is left or has waited long enough leaves nothing behind', async () => {
  const channels = spyOnChannels()
  const gate = newGate()
  const task = await app.tasks.start('waits', { gate })
  const stop = new AbortController()
  for await (const _ of task.events()) break
  await expect(task.result({ timeout: 20 })).rejects.toMatchObject({ name: 'TimeoutError' })
  const waiting = task.result({ signal: stop.signal })
  const events = task.events({ signal: stop.signal })[Symbol.asyncIterator]()
  await events.next()
  const next = events.next()
  await until('the wait', () => watchersOf(channels) === 1)
  stop.abort(new Error('enough'))
  for (const left of [waiting, next]) await expect(left).rejects.toThrow('enough')
  await until('the end of the wait', () => watchersOf(channels) === 0)
  openGate(gate)
  expect(await task.result()).toBe('done')
})

test('a handle on the server to a task that is not there says so', async () => {
  const nobody = app.tasks.handle('00000000-0000-7000-8000-000000000000')
  const asked = [nobody.result(), nobody.record(), nobody.events()[Symbol.asyncIterator]().next()]
  for (const answer of await Promise.allSettled<unknown>(asked))
    expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'NOT_FOUND' } })
})

describe('a batch that is answered as a whole', () => {
  const batch = createTRPCClient<typeof app.router>({ links: [httpBatchLink({ url: `${url}/trpc` })] })

  test('does not wait for a long poll in it, be it with another call or another poll', async () => {
    const gate = newGate()
    const [id, ended] = await Promise.all([start('waits', { gate }), start('waits', { gate: 'none' })])
    await get(`/tasks/${ended}?wait=10`)
    const [record] = await Promise.all([
      batch.waits.get.query({ id, wait: 30 }),
      batch.tasks.list.query({ limit: 1 }),
    ])
    expect(record.status).toBe('running')
    const polls = [id, ended].map((each) => batch.waits.get.query({ id: each, wait: 30 }))
    expect((await Promise.all(polls)).map(({ status }) => status)).toEqual(['running', 'succeeded'])
    openGate(gate)
  })

  test('waits for a call that has to, and for a poll that is alone', async () => {
    const [gate, other] = [newGate(), newGate()]
    const id = await start('waits', { gate: other })
    const run = batch.waits.run.mutate({ gate })
    const started = batch.waits.start.mutate({ gate: 'none' })
    await until('both to run', async () => (await app.tasks.list({ status: 'running' })).items.length === 2)
    openGate(gate)
    expect([await run, (await started).procedure]).toEqual(['done', 'waits'])
    const poll = batch.waits.get.query({ id, wait: 30 })
    openGate(other)
    expect((await poll).status).toBe('succeeded')
  })
})

test('a subscription says what silence means', async () => {
  const id = await start('waits', { gate: 'none' })
  const input = encodeURIComponent(JSON.stringify({ id }))
  const { text } = await get(`/trpc/waits.watch?input=${input}`)
  expect(text).toMatch(/^event: connected\ndata: \{"reconnectAfterInactivityMs":40000\}\n/)
})

test('a long poll that nobody waits for any more is let go of', async () => {
  const channels = spyOnChannels()
  const gate = newGate()
  const task = await startTask(trpc.waits, { gate })
  await expect(task.result({ timeout: 50 })).rejects.toMatchObject({ name: 'TimeoutError' })
  await until('the end of the wait', () => watchersOf(channels) === 0)
  openGate(gate)
  expect(await task.result()).toBe('done')
})
