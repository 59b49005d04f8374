// Serves a full store, and measures itself: how long `listen` takes, the memory then and at its highest, and how long
// pages of the list take over HTTP.
import { readFileSync } from 'node:fs'
import app from './app.mjs'

const REPEATS = 30
const megabytes = (bytes) => bytes / 2 ** 20
const peakMb = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024

const before = megabytes(process.memoryUsage.rss())
const from = performance.now()
const server = await app.listen({ port: 0 })
const startMs = performance.now() - from
const memory = { before, after: megabytes(process.memoryUsage.rss()), peak: peakMb() }

const get = async (query) => (await fetch(`${server.url}/tasks?limit=50${query}`)).json()

/** The cursor of a page in the middle. */
async function middle() {
  let cursor = ''
  for (let page = 0; page < 200; page++) {
    const { nextCursor } = await (await fetch(`${server.url}/tasks?limit=200${cursor}`)).json()
    if (nextCursor) cursor = `&cursor=${nextCursor}`
  }
  return cursor
}

const queries = {
  'newest': '',
  'deep cursor': await middle(),
  'status=succeeded': '&status=succeeded',
  'status=failed': '&status=failed',
  'status=queued': '&status=queued',
  'status=cancelled': '&status=cancelled',
  'procedure=fail': '&procedure=fail',
  'procedure=echo&status=succeeded': '&procedure=echo&status=succeeded',
  'tag=rare': '&tag=rare',
  'tag=none': '&tag=none',
}

const pages = {}
for (const [name, query] of Object.entries(queries)) {
  const times = []
  let items = 0
  for (let n = 0; n < REPEATS; n++) {
    const began = performance.now()
    items = (await get(query)).items.length
    times.push(performance.now() - began)
  }
  pages[name] = { items, times }
}
process.send({ startMs, memory, pages })
await app.close()
