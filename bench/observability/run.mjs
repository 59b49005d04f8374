// What logs, metrics and traces cost a call: CPU time of the server, off and on in turn. `--rounds 15 --calls 4000 --call order`
import { fork } from 'node:child_process'
import { Agent, request } from 'node:http'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask, nextMessage } from '../lib/children.mjs'
import { readOptions } from '../lib/options.mjs'
import { prepareErrand } from '../lib/prepare.mjs'
import { markdownTable, writeReport } from '../lib/report.mjs'
import { fixed, median, rotate } from '../lib/stats.mjs'
import { modes } from './modes.mjs'

const options = readOptions({ rounds: 15, calls: 4000, clients: 16, call: 'add', build: true })
const item = (n) => ({ sku: `sku-${n}`, title: `Article number ${n} of the order`, count: n, price: 9.99 })
const INPUTS = { add: { a: 1, b: 2 }, order: { items: Array.from({ length: 20 }, (_, n) => item(n)) } }
const BODY = JSON.stringify(INPUTS[options.call])
const HEADERS = { 'content-type': 'application/json', 'content-length': BODY.length, 'x-user': 'ada' }

prepareErrand(options.build)
const folder = mkdtempSync(path.join(os.tmpdir(), 'errand-bench-'))
const agent = new Agent({ keepAlive: true, maxSockets: options.clients })
const servers = []

try {
  for (const mode of Object.keys(modes)) servers.push(await start(mode))
  for (const { url } of servers) await load(url, options.calls) // warm
  for (let round = 0; round < options.rounds; round++)
    for (const server of rotate(servers, round)) server.samples.push(await sample(server))
  print(Object.fromEntries(servers.map(({ mode, samples }) => [mode, samples])))
} finally {
  agent.destroy()
  for (const { child } of servers) child.kill()
  rmSync(folder, { recursive: true, force: true })
}

/** A server whose log goes to a file; where it dies, that has why. */
async function start(mode) {
  const log = path.join(folder, `${servers.length}.log`)
  const child = fork(fileURLToPath(new URL('serve.mjs', import.meta.url)), [mode], {
    stdio: ['ignore', 'ignore', openSync(log, 'w'), 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const name = `the server of ${mode}`
  const output = () => readFileSync(log, 'utf8')
  const url = await nextMessage(child, name, output)
  return { mode, child, url, samples: [], ask: (question) => ask(child, question, name, output) }
}

async function cpuOf(server) {
  const { user, system } = await server.ask('cpu')
  return user + system
}

/** Microseconds of CPU for each call. */
async function sample(server) {
  const before = await cpuOf(server)
  await load(server.url, options.calls)
  return ((await cpuOf(server)) - before) / options.calls
}

async function load(url, calls) {
  let left = calls
  const client = async () => {
    while (left-- > 0) await call(url)
  }
  await Promise.all(Array.from({ length: options.clients }, client))
}

function call(url) {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/${options.call}`, { method: 'POST', agent, headers: HEADERS }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url} answered ${answer.statusCode}`))
      answer.resume().on('end', resolve)
    })
    sent.on('error', reject).end(BODY)
  })
}

/** Rounds are compared with themselves: a busy minute hits all modes alike. */
function print(samples) {
  const table = Object.entries(samples).map(([mode, all]) => {
    const ratios = all.map((us, round) => us / samples.off[round])
    return { mode, cpuUs: median(all), least: Math.min(...all), ratio: median(ratios) }
  })
  const rows = table.map(({ mode, cpuUs, least, ratio }) => [
    mode,
    fixed(cpuUs, 1),
    fixed(least, 1),
    `**${fixed(ratio, 3)}**`,
    fixed(least / table[0].least, 3),
  ])
  const heads = ['mode', 'CPU µs a call, median', 'least', 'ratio to off, median of rounds', 'least to least']
  console.log(`\n### Observability, ${options.call}, ${options.rounds} rounds of ${options.calls} calls\n\n${markdownTable(heads, rows)}`)
  writeReport('observability', { options, table, samples })
}
