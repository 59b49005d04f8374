/** What `/healthz` and `/readyz` say of parts of the process itself; outages of servers are in `tests/regression`. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { serve, serveApp } from '../support/serve.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

const answer = procedure.query({ input: z.void(), output: z.int(), handler: () => 42 })

test('an app without tasks is ready as soon as it answers', async () => {
  const { get } = await serve({ answer })
  const ready = await get('/readyz')
  expect([ready.status, ready.json]).toEqual([200, { status: 'ok' }])
})

test('workers that die and can’t be started anew are told of, until they can', async () => {
  const broken = join(await tempDir(), 'broken')
  process.env['PROBES_BROKEN'] = broken
  const { default: app } = await import('../fixtures/probes/app.ts')
  const api = await serveApp(app)
  expect((await api.get('/readyz')).status).toBe(200)

  await writeFile(broken, '')
  expect((await api.call('/exits')).status).toBe(500)
  const bad = await until('its pool to be empty', async () => {
    const ready = await api.get('/readyz')
    return ready.status === 503 && ready
  })
  expect(bad.json).toEqual({
    status: 'unavailable',
    parts: { engine: 'ok', store: 'ok', workers: 'unavailable' },
  })
  expect(bad.text).not.toContain('a file that the app needs')
  expect((await api.get('/healthz')).json).toEqual({ status: 'ok' })

  await rm(broken)
  await until('workers', async () => (await api.get('/readyz')).status === 200)
})
