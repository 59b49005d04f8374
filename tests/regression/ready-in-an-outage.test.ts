/** `/readyz` stayed 200 while the server that keeps the tasks was gone: a load balancer went on sending starts to be refused. */
import { describe, expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { serve } from '../support/serve.ts'
import { TASK_PLACES } from '../support/task-places.ts'
import { until } from '../support/until.ts'

const double = procedure.task({
  input: z.int(),
  output: z.int(),
  runOn: 'inline',
  handler: ({ input }) => 2 * input,
})

for (const { name, reason, open } of TASK_PLACES)
  describe.skipIf(reason)(`/readyz over ${name}`, { timeout: 120_000 }, () => {
    test('says that the store is not there while its server is killed, and is well again after it', async () => {
      const { server, tasks } = await open()
      const api = await serve({ double }, { tasks })
      expect((await api.call('/double', 4)).json).toBe(8)
      const ready = await api.get('/readyz')
      expect([ready.status, ready.json]).toEqual([
        200,
        { status: 'ok', parts: { engine: 'ok', store: 'ok', workers: 'ok' } },
      ])

      await server.kill()
      const away = await api.get('/readyz')
      expect([away.status, away.json]).toEqual([
        503,
        { status: 'unavailable', parts: { engine: 'ok', store: 'unavailable', workers: 'ok' } },
      ])
      expect(Number(away.headers['retry-after'])).toBeGreaterThan(0)
      expect((await api.get('/healthz')).status).toBe(200)
      // Operators read why in the log, and strangers read it nowhere.
      expect(api.logs.filter(({ message }) => message.startsWith('Not ready: store'))).toHaveLength(1)

      await server.start()
      await until('its return', async () => (await api.get('/readyz')).status === 200, 30_000)
      await until('a call', async () => (await api.call('/double', 5)).json === 10, 30_000)
    })

    test('is answered while its server stands still, however many ask', async () => {
      const { server, tasks } = await open()
      const api = await serve({ double }, { tasks })
      expect((await api.call('/double', 4)).json).toBe(8)
      server.freeze()
      const first = await Promise.all(Array.from({ length: 20 }, () => api.get('/readyz')))
      expect(new Set(first.map(({ status }) => status))).toEqual(new Set([503]))
      server.thaw()
      await until('its return', async () => (await api.get('/readyz')).status === 200, 30_000)
    })
  })
