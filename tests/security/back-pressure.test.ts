/** A server with more to do than it can: new calls are told to come back before all wait for all. */
import { expect, onTestFinished, test } from 'vitest'
import { serveChild } from '../support/child-server.ts'
import { request } from '../support/http.ts'
import { until } from '../support/until.ts'

const { url } = await serveChild('tests/support/apps/busy.ts')

interface Burnt {
  readonly status: number
  readonly retryAfter: string | null
  readonly text: string
}

// By fetch, which keeps its connections: what waits in them is what makes a turn of the event loop long.
const burn = async (ms: number): Promise<Burnt> => {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/burn`, { method: 'POST', headers, body: JSON.stringify({ ms }) })
  const { status } = response
  return { status, retryAfter: response.headers.get('retry-after'), text: await response.text() }
}

/** Callers that ask again as soon as they have their answer, until told to stop. */
const load = (callers: number, ms: number) => {
  const answers: Burnt[] = []
  const enough = new AbortController()
  const call = async (): Promise<void> => {
    while (!enough.signal.aborted) answers.push(await burn(ms))
  }
  onTestFinished(() => enough.abort())
  const calls = Promise.all(Array.from({ length: callers }, call))
  const stop = async (): Promise<void> => {
    enough.abort()
    await calls
  }
  return { answers, stop }
}

test('under more calls than it can answer it refuses some, answers the others and its probes, and recovers', async () => {
  const { answers, stop } = load(20, 40)
  const refused = await until('a refusal', () => answers.find(({ status }) => status !== 200), 20_000)
  expect(JSON.parse(refused.text)).toMatchObject({
    status: 503,
    code: 'SERVICE_UNAVAILABLE',
    instance: '/burn',
  })
  expect(refused.retryAfter).toBe('1')
  const overTrpc = await until('a refusal over tRPC', async () => {
    const answer = await request('GET', `${url}/trpc/ping`)
    return answer.status === 503 && answer
  })
  expect(overTrpc.json).toMatchObject({
    error: { data: { code: 'SERVICE_UNAVAILABLE', retryAfter: 1, path: 'ping' } },
  })
  expect(overTrpc.headers['retry-after']).toBe('1')
  for (let count = 0; count < 10; count++)
    for (const probe of ['/healthz', '/readyz']) expect((await request('GET', url + probe)).status).toBe(200)
  await stop()
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]))
  await until('a good answer', async () => (await request('GET', `${url}/ping`)).status === 200)
})
