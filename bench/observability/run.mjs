// What logs, metrics and traces cost a call: CPU time of the server, off and on in turn.
// `--rounds 10 --calls 5000 --connections 32 --only add,order,lookup`
import { spawnSync, fork } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { ask, nextMessage } from '../lib/children.mjs'
import { readOptions } from '../lib/options.mjs'
import { prepareErrand } from '../lib/prepare.mjs'
import { rawLoad } from '../lib/raw-load.mjs'
import { markdownTable, writeReport } from '../lib/report.mjs'
import { fixed, median, rotate } from '../lib/stats.mjs'
import { serverKinds } from '../tasks/queues/servers.mjs'
import { bodies, TABLE } from './calls.mjs'
import { modes } from './modes.mjs'

const options = readOptions({ rounds: 10, calls: 5000, connections: 32, only: Object.keys(bodies), build: true })

prepareErrand(options.build)
const folder = mkdtempSync(path.join(os.tmpdir(), 'errand-bench-'))
const postgres = await serverKinds.postgres()
const servers = []
const isPinned = [process.pid, postgres.pid].every((pid) => pin(pid, 1))

try {
  await fill(postgres)
  for (const mode of Object.keys(modes)) servers.push(await start(mode))
  const calls = {}
  for (const call of options.only) calls[call] = await compare(call)
  writeReport('observability', { options, isPinned, calls })
} finally {
  for (const { child } of servers) child.kill()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** The servers have a CPU of their own. False where that can't be. */
function pin(pid, cpu) {
  return spawnSync('taskset', ['-apc', String(cpu), String(pid)], { stdio: 'ignore' }).status === 0
}

async function fill({ url, reset }) {
  reset()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(TABLE)
  await client.end()
}

/** A server whose log goes to a file; where it dies, that has why. */
async function start(mode) {
  const log = path.join(folder, `${servers.length}.log`)
  const child = fork(fileURLToPath(new URL('serve.mjs', import.meta.url)), [mode, postgres.url], {
    stdio: ['ignore', 'ignore', openSync(log, 'w'), 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const name = `the server of ${mode}`
  const output = () => readFileSync(log, 'utf8')
  const url = await nextMessage(child, name, output)
  pin(child.pid, 0)
  return { mode, child, url, ask: (question) => ask(child, question, name, output) }
}

/** All modes in turn, over and over: a busy minute hits all alike. */
async function compare(call) {
  const samples = Object.fromEntries(servers.map(({ mode }) => [mode, []]))
  for (const server of servers) {
    await load(server.url, call, 2 * options.calls) // warm
    await scrape(server)
  }
  for (let round = 0; round < options.rounds; round++)
    for (const server of rotate(servers, round)) samples[server.mode].push(await sample(server, call))
  return print(call, samples)
}

async function cpuOf(server) {
  const { user, system } = await server.ask('cpu')
  return user + system
}

/** Prometheus has asked: the event loop is measured from then on. */
async function scrape({ mode, url }) {
  if (modes[mode].options.metrics) await (await fetch(`${url}/metrics`)).text()
}

/** Microseconds of CPU for each call. */
async function sample(server, call) {
  await load(server.url, call, 200)
  const before = await cpuOf(server)
  await load(server.url, call, options.calls)
  return ((await cpuOf(server)) - before) / options.calls
}

function load(url, call, calls) {
  const request = { path: `/${call}`, headers: { 'x-user': 'ada' }, body: bodies[call] }
  return rawLoad(url, request, { calls, connections: options.connections })
}

/** Rounds are compared with themselves. */
function print(call, samples) {
  const table = Object.entries(samples).map(([mode, all]) => {
    const ratios = all.map((us, round) => us / samples.off[round])
    return { mode, cpuUs: median(all), least: Math.min(...all), ratio: median(ratios) }
  })
  const rows = table.map(({ mode, cpuUs, least, ratio }) => [
    mode,
    fixed(cpuUs, 1),
    fixed(least, 1),
    `**${fixed(ratio, 2)}**`,
    fixed(least / table[0].least, 2),
  ])
  const heads = ['mode', 'CPU µs a call, median', 'least', 'ratio to off, median of rounds', 'least to least']
  console.log(`\n### Observability, ${call}, ${options.rounds} rounds of ${options.calls} calls\n\n${markdownTable(heads, rows)}`)
  return { table, samples }
}
