// What logs, metrics and traces cost a call: CPU time of the server, off and on in turn. `--rounds 15 --calls 4000`
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../lib/options.mjs'
import { prepareErrand } from '../lib/prepare.mjs'
import { markdownTable, writeReport } from '../lib/report.mjs'
import { fixed, median, rotate } from '../lib/stats.mjs'

const options = readOptions({ rounds: 15, calls: 4000, clients: 16, build: true })
const BODY = JSON.stringify({ a: 1, b: 2 })
const HEADERS = { 'content-type': 'application/json', 'content-length': BODY.length, 'x-user': 'ada' }

prepareErrand(options.build)
const folder = mkdtempSync(path.join(os.tmpdir(), 'errand-bench-'))
const log = openSync(path.join(folder, 'log'), 'w')
const child = fork(fileURLToPath(new URL('serve.mjs', import.meta.url)), {
  stdio: ['ignore', 'ignore', log, 'ipc'],
  env: { ...process.env, NODE_ENV: 'production' },
})
const agent = new Agent({ keepAlive: true, maxSockets: options.clients })

try {
  await once(child, 'message')
  const urls = await ask('urls')
  const samples = Object.fromEntries(Object.keys(urls).map((mode) => [mode, []]))
  for (const url of Object.values(urls)) await load(url, options.calls) // warm
  for (let round = 0; round < options.rounds; round++)
    for (const [mode, url] of rotate(Object.entries(urls), round)) samples[mode].push(await sample(url))
  print(samples)
} finally {
  agent.destroy()
  child.kill()
  rmSync(folder, { recursive: true, force: true })
}

async function ask(what) {
  child.send(what)
  const [answer] = await once(child, 'message')
  return answer
}

/** Microseconds of CPU for each call. */
async function sample(url) {
  const before = await ask('cpu')
  await load(url, options.calls)
  const after = await ask('cpu')
  return (after.user + after.system - before.user - before.system) / options.calls
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
    const sent = request(`${url}/add`, { method: 'POST', agent, headers: HEADERS }, (answer) => {
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
  console.log(`\n### Observability, ${options.rounds} rounds of ${options.calls} calls\n\n${markdownTable(heads, rows)}`)
  writeReport('observability', { options, table, samples })
}
