// One sample of load against one url: wrk where it is installed, else autocannon (slower: it measures itself too).
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { pinned } from '../lib/processes.mjs'

const connections = 32
const hasWrk = !spawnSync('wrk', ['-v']).error
export const loadTool = process.env.BENCH_LOAD ?? (hasWrk ? 'wrk' : 'autocannon')

/** `{ rps, requests, p50, p99, failed }`; latencies in ms, `failed` says why the sample does not count. */
export function sample(url, workload, seconds, nice) {
  return loadTool === 'wrk' ? withWrk(url, workload, seconds, nice) : withAutocannon(url, workload, seconds, nice)
}

async function withWrk(url, workload, seconds, nice) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'errand-wrk-'))
  const script = path.join(folder, 'request.lua')
  writeFileSync(script, luaScript(workload))
  try {
    // wrk takes whole seconds only, so it is stopped by a signal; it measures its real duration itself.
    const command = [
      'wrk',
      '-t1',
      `-c${connections}`,
      `-d${Math.ceil(seconds) + 5}s`,
      '-s',
      script,
      url + workload.path,
    ]
    const summary = JSON.parse((await output(pinned(1, command, nice), seconds)).split('#summary#')[1])
    return { ...summary, failed: failure(summary, workload) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const luaScript = ({ method, headers, body = '' }) => `
wrk.method = '${method}'
wrk.body = ${body ? `[==[${body}]==]` : 'nil'}
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers['${name}'] = '${value}'`)
  .join('\n')}
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('#summary#{"rps":%f,"requests":%d,"p50":%f,"p99":%f,"bad":%d,"broken":%d}',
    summary.requests / summary.duration * 1e6, summary.requests, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.status, e.connect + e.read + e.write + e.timeout))
end`

async function withAutocannon(url, workload, seconds, nice) {
  const bin = fileURLToPath(import.meta.resolve('autocannon'))
  const headers = Object.entries(workload.headers).flatMap(([name, value]) => ['-H', `${name}=${value}`])
  const command = [
    process.execPath,
    bin,
    '-c',
    connections,
    '-d',
    seconds,
    '-m',
    workload.method,
    ...headers,
    ...(workload.body ? ['-b', workload.body] : []),
    '--json',
    '--no-progress',
    url + workload.path,
  ]
  const result = JSON.parse(await output(pinned(1, command.map(String), nice)))
  const { requests, latency, non2xx, errors, duration } = result
  const summary = {
    rps: requests.total / duration,
    requests: requests.total,
    p50: latency.p50,
    p99: latency.p99,
    bad: non2xx,
    broken: errors,
  }
  return { ...summary, failed: failure(summary, workload) }
}

/** An answer of the wrong kind, or a broken connection, makes the sample worthless. */
function failure({ requests, bad, broken }, { status }) {
  if (requests === 0) return 'no answers'
  if (broken > 0) return `${broken} broken connections`
  const expected = status < 400 ? 0 : requests
  return bad === expected ? null : `${bad} of ${requests} answers had an error status, expected ${expected}`
}

function output([file, ...args], stopAfter) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = stopAfter && setTimeout(() => child.kill('SIGINT'), stopAfter * 1000)
    let text = ''
    let errors = ''
    child.stdout.on('data', (chunk) => (text += chunk))
    child.stderr.on('data', (chunk) => (errors += chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      if (code === 0) resolve(text)
      else reject(new Error(`${file} ended with ${code}: ${errors}`))
    })
  })
}
