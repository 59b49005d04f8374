/** The settings of routes, of pages of other origins, and of the document. */
import { expect } from 'vitest'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'
import { bareApp, type Effects } from './effect.ts'

const paths = (app: { routes(): readonly { path: string }[] } = bareApp()): Set<string> =>
  new Set(app.routes().map(({ path }) => path))

const has = (path: string) => async (): Promise<boolean> => paths().has(path)

const isAt = (path: string) => ({ text: path, look: has(path), without: false, with: true })

const job = procedure.task({ input: z.void(), output: z.void(), handler: () => undefined })

const ROUTES: Effects = {
  prefix: { text: '/api', look: has('/api/echo'), without: false, with: true },
  'routes.tasks': {
    text: '/_t',
    look: async () => paths(createApp({ job }, { tasks: inline() })).has('/_t/{taskId}'),
    without: false,
    with: true,
  },
  'routes.docs': { text: 'off', look: has('/docs'), without: true, with: false },
  'routes.openapi': isAt('/_document.json'),
  'routes.trpc': { text: '/_trpc', look: has('/_trpc/{path*}'), without: false, with: true },
  'routes.healthz': isAt('/_alive'),
  'routes.readyz': isAt('/_ready'),
  'routes.metrics': { ...isAt('/_metrics'), beside: { ERRAND_METRICS: 'on' } },
}

const ORIGIN = 'https://page.example'

/** A header of the answer to a page of another origin. */
const header =
  (name: string, method = 'POST') =>
  async (): Promise<string | null> => {
    const asks = method === 'OPTIONS' ? { 'access-control-request-method': 'POST' } : {}
    const answer = await bareApp().fetch(
      new Request('http://x/echo', { method, headers: { origin: ORIGIN, ...asks } }),
    )
    return answer.headers.get(`access-control-${name}`)
  }

const ON = { ERRAND_CORS: 'on' }

const CORS: Effects = {
  cors: { text: 'on', look: header('allow-origin'), without: null, with: '*' },
  // Nobody has to say `cors`, too.
  'cors.origin': {
    text: `https://a.example,${ORIGIN}`,
    look: header('allow-origin'),
    without: null,
    with: ORIGIN,
  },
  'cors.credentials': {
    text: 'true',
    beside: { ERRAND_CORS_ORIGIN: ORIGIN },
    look: header('allow-credentials'),
    without: null,
    with: 'true',
  },
  'cors.headers': {
    text: 'x-a, x-b',
    beside: ON,
    look: header('allow-headers', 'OPTIONS'),
    without: null,
    with: 'x-a, x-b',
  },
  'cors.expose': {
    text: 'x-c',
    beside: { ...ON, ERRAND_CORS_MAX_AGE: '1' },
    look: header('expose-headers'),
    without: expect.stringContaining('etag'),
    with: 'x-c',
  },
  'cors.maxAge': { text: '7', beside: ON, look: header('max-age', 'OPTIONS'), without: '600', with: '7' },
}

const info = (name: 'title' | 'version' | 'description') => async () => (await bareApp().openapi()).info[name]

const DOCUMENT: Effects = {
  'openapi.title': { text: 'Films', look: info('title'), without: 'API', with: 'Films' },
  'openapi.version': { text: '1.2', look: info('version'), without: '0.0.0', with: '1.2' },
  'openapi.description': {
    text: 'Of films',
    look: info('description'),
    without: undefined,
    with: 'Of films',
  },
  'openapi.servers': {
    text: 'https://a.example,https://b.example',
    look: async () => (await bareApp().openapi()).servers,
    without: [{ url: '/' }],
    with: [{ url: 'https://a.example' }, { url: 'https://b.example' }],
  },
}

export const ROUTING: Effects = { ...ROUTES, ...CORS, ...DOCUMENT }
