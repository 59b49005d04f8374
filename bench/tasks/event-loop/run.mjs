// How long `POST /add` takes while 32 clients call 5 ms of work: as a task, and in a handler. See ../../README.md.
// `--rounds 5 --seconds 5 --clients 32 --ms 5`
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { nextMessage } from '../../lib/children.mjs'
import { readOptions } from '../../lib/options.mjs'
import { prepareErrand } from '../../lib/prepare.mjs'
import { loadNow, markdownTable, writeReport } from '../../lib/report.mjs'
import { fixed, median, quantile, rotate } from '../../lib/stats.mjs'

const options = readOptions({ rounds: 5, seconds: 5, clients: 32, ms: 5, build: true })
const cases = ['asTask', 'inHandler', 'nothing']

prepareErrand(options.build)
const runs = []
for (let round = 0; round < options.rounds; round++)
  for (const name of rotate(cases, round)) runs.push({ round, name, load: loadNow(), ...(await measure(name)) })

const of = (name, key) => median(runs.filter((run) => run.name === name).map((run) => run[key]))
const rows = cases.map((name) => [
  name,
  ...['p50', 'p95', 'p99'].map((key) => fixed(of(name, key), 2)),
  fixed(of(name, 'workPerSecond'), 0),
  fixed(of('inHandler', 'p99') / of(name, 'p99'), 0),
])
console.log(
  markdownTable([`POST /add, ms, beside ${options.clients} clients`, 'p50', 'p95', 'p99', 'their calls/s', 'p99 is × better'], rows),
)
writeReport('event-loop', { options, runs })

async function measure(name) {
  const server = await startServer()
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  const post = (path, body) => call(agent, server.url + path, body)
  try {
    // A task that nobody is in a hurry for wakes the workers.
    await Promise.all([post('/asTask', { ms: 1 }), post('/asTask', { ms: 1 }), post('/add', { a: 1, b: 2 })])
    const until = performance.now() + options.seconds * 1000
    const worked = name === 'nothing' ? [] : Array.from({ length: options.clients }, () => keepCalling(post, name, until))
    const times = await probe(post, until)
    const count = (await Promise.all(worked)).reduce((sum, calls) => sum + calls, 0)
    const quantiles = { p50: quantile(times, 0.5), p95: quantile(times, 0.95), p99: quantile(times, 0.99) }
    return { ...quantiles, probes: times.length, workPerSecond: count / options.seconds }
  } finally {
    agent.destroy()
    await server.stop()
  }
}

async function keepCalling(post, name, until) {
  let calls = 0
  for (; performance.now() < until; calls++) await post(`/${name}`, { ms: options.ms })
  return calls
}

/** One call after the other, a few ms apart. */
async function probe(post, until) {
  const times = []
  while (performance.now() < until) {
    const from = performance.now()
    await post('/add', { a: 1, b: 2 })
    times.push(performance.now() - from)
    await sleep(5)
  }
  return times
}

function call(agent, url, body) {
  return new Promise((resolve, reject) => {
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const sent = request(url, { agent, method: 'POST', headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode}`))
      answer.resume().once('end', resolve)
    })
    sent.once('error', reject).end(text)
  })
}

async function startServer() {
  const dir = mkdtempSync(path.join(process.env.BENCH_DIR ?? os.tmpdir(), 'errand-bench-'))
  const env = { ...process.env, NODE_ENV: 'production', ERRAND_DATA: dir }
  const child = fork(fileURLToPath(new URL('serve.mjs', import.meta.url)), { env })
  const closed = new Promise((resolve) => child.once('exit', resolve))
  const url = await nextMessage(child, 'the server')
  const stop = async () => {
    child.kill('SIGKILL')
    await closed
    rmSync(dir, { recursive: true, force: true })
  }
  return { url, stop }
}
