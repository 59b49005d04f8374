/** What once went wrong, or nearly did, when an app closes. */
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
    'listen(): option prot is unknown, expected one of port, host, signals, work; ' +
      'option port is "80", expected a whole number from 0 to 65535, such as 3000; ' +
      "option host is 7, expected an address, such as '0.0.0.0'; " +
      'option signals is "no", expected true, false or a function that is told of a signal',
  )
})
