/** What once went wrong, or nearly did, when an app closes. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'
import { serve } from '../support/serve.ts'
import { until } from '../support/until.ts'

const nothing = { input: z.void(), output: z.void() } as const
const ping = procedure.query({ ...nothing, handler: () => {} })

test('a handler that waited for a task asked for it again and again, and the process never ended', async () => {
  let started = false
  const endless = procedure.task({ ...nothing, handler: () => new Promise<void>(() => (started = true)) })
  const waits = procedure.mutation({
    ...nothing,
    handler: async ({ tasks }) => void (await (await tasks.start('endless', undefined)).result()),
  })
  const { app, call } = await serve({ endless, waits }, { tasks: inline({ drainGrace: 10 }) })
  const waiting = call('/waits')
  await until('the task', () => started)
  await app.close()
  expect(await waiting).toMatchObject({ status: 503, json: { code: 'SERVICE_UNAVAILABLE' } })
})

test('a connection that came as the server closed was cut before it could ask', async () => {
  const { app, port, ...api } = await serve({ ping })
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  // Whoever came later is served: the server has this one, too.
  expect((await api.get('/healthz')).status).toBe(200)
  const closed = app.close()
  await sleep(50)
  socket.end('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
  const answer = await text(socket)
  expect(answer).toContain('HTTP/1.1 200 OK')
  expect(answer).toContain('Connection: close')
  await closed
})

describe('signals are heard', () => {
  const heard = () => ['SIGTERM', 'SIGINT'].map((signal) => process.listenerCount(signal))

  test('by one listener each, from the first server to the last', async () => {
    const before = heard()
    const [one, other] = [createApp({ ping }), createApp({ ping })]
    const servers = [
      await one.listen({ port: 0 }),
      await one.listen({ port: 0 }),
      await other.listen({ port: 0 }),
    ]
    expect(heard()).toEqual(before.map((count) => count + 1))
    await servers[0]!.close()
    expect(heard()).toEqual(before.map((count) => count + 1))
    await servers[2]!.close()
    expect(heard()).toEqual(before)
  })

  test('by nobody when a server can not be opened, or says so', async () => {
    const before = heard()
    const app = createApp({ ping })
    const { port } = await app.listen({ port: 0, signals: false })
    await expect(createApp({ ping }).listen({ port })).rejects.toThrow('is taken')
    expect(heard()).toEqual(before)
    await app.close()
  })
})

test('a closed app does not listen again', async () => {
  const app = createApp({ ping })
  await (await app.listen({ port: 0 })).close()
  await expect(app.listen({ port: 0 })).rejects.toThrow('The app is closed: a new one is made with createApp')
})

test('listen names all that is wrong with its options', async () => {
  const options = { prot: 80, port: '80', host: 7, signals: 'no' }
  await expect(createApp({ ping }).listen(options as never)).rejects.toThrow(
    'listen(): option prot is unknown, expected one of port, host, signals, work, drainDelay; did you mean port?; ' +
      'option port is "80", expected a whole number from 0 to 65535, such as 3000; ' +
      "option host is 7, expected an address, such as '0.0.0.0'; " +
      'option signals is "no", expected true, false or a function that is told of a signal',
  )
})
