/** Probes got a 503 when all connections were taken: whoever watched over the process ended it, in the midst of a crowd. */
import { expect, onTestFinished, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { request } from '../support/http.ts'
import { openRaw } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

const ping = procedure.query({ input: z.void(), output: z.void(), handler: () => {} })

test('probes are answered over a connection that is one too many, which then ends', async () => {
  const { url, port } = await serve({ ping }, { limits: { connections: 3 }, routes: { readyz: '/ready' } })
  for (let n = 0; n < 3; n++) {
    const { socket } = await openRaw(port)
    onTestFinished(() => void socket.destroy())
  }
  const headers = { connection: 'keep-alive' }
  expect((await request('POST', `${url}/ping`, { headers })).status).toBe(503)
  for (const path of ['/healthz', '/ready', '/healthz?full']) {
    const answer = await request('GET', url + path, { headers })
    expect([answer.status, answer.headers.connection]).toEqual([200, 'close'])
  }
  expect((await request('GET', `${url}/readyz`, { headers })).status).toBe(503)
})
