/** The settings of metrics. */
import { bareApp, recorded, served, type Effects } from './effect.ts'

const TOKEN = 'a-token-of-some-length'

const statusOf =
  (headers: Record<string, string> = {}) =>
  (): Promise<number> =>
    served(async ({ url }) => (await fetch(`${url}/metrics`, { headers })).status)

/** Where they are, on a port of their own: told in the log. */
const place = async (): Promise<string | undefined> => {
  const { logs, app } = recorded()
  await served(() => Promise.resolve(), app)
  return /http:\/\/(\S+)\/metrics/.exec(logs.map(({ message }) => message).join())?.[1]
}

export const METRICS: Effects = {
  metrics: { text: 'on', look: statusOf(), without: 404, with: 200 },
  'metrics.access': {
    text: 'everyone',
    beside: { ERRAND_METRICS: 'on' },
    look: async () => (await bareApp().fetch(new Request('http://x/metrics'))).status,
    without: 403,
    with: 200,
  },
  'metrics.token': {
    text: TOKEN,
    beside: { ERRAND_METRICS_ACCESS: 'everyone' },
    look: statusOf(),
    without: 200,
    with: 403,
  },
  'metrics.port': {
    text: '0',
    beside: { ERRAND_METRICS: 'on' },
    look: async () => (await place()) !== undefined,
    without: false,
    with: true,
  },
  'metrics.host': {
    text: '127.0.0.2',
    beside: { ERRAND_METRICS_PORT: '0' },
    look: async () => (await place())?.split(':')[0],
    without: '127.0.0.1',
    with: '127.0.0.2',
  },
}
