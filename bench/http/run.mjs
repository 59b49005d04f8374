// Requests per second of each peer and workload. See ../README.md for what the figures mean.
import { readOptions } from '../lib/options.mjs'
import { prepareErrand, withoutMissing } from '../lib/prepare.mjs'
import { pinning, startServer } from '../lib/processes.mjs'
import { loadNow, writeReport } from '../lib/report.mjs'
import { rotate } from '../lib/stats.mjs'
import { checkParity, checkPeer } from './check.mjs'
import { loadTool, sample } from './load.mjs'
import { printTables, summarize } from './summary.mjs'
import { baselines, peers, workloads } from './workloads.mjs'

const options = readOptions({
  rounds: 5,
  seconds: 1,
  warmup: 1,
  nice: 0,
  only: null,
  workloads: null,
  build: true,
  check: true,
})

prepareErrand(options.build)
for (const set of Object.keys(peers)) await runSet(set)

async function runSet(set) {
  const names = Object.keys(workloads[set]).filter((name) => !options.workloads || options.workloads.includes(name))
  const chosen = choosePeers(set)
  if (!names.length || !chosen.length) return
  if (options.check) await refuseWrongAnswers(set, chosen, names)

  const samples = []
  const loadBefore = loadNow()
  for (let round = 0; round < options.rounds; round++) {
    samples.push(...(await runRound(set, rotate(chosen, round), names, round)))
    console.error(`${set}: round ${round + 1} of ${options.rounds}, load average ${loadNow().toFixed(1)}`)
  }
  const table = summarize(samples, { chosen, names, baselines: baselines[set] })
  printTables(set, table, { names, titles: workloads[set], baselines: baselines[set] })
  writeReport(`http-${set}`, { options, loadTool, pinning, loadBefore, table, samples })
}

/** The chosen peers; a baseline always takes part, or there is nothing to divide by. */
function choosePeers(set) {
  const there = withoutMissing(peers[set])
  const wanted = there.filter((peer) => !options.only || options.only.includes(peer))
  return wanted.length ? there.filter((peer) => wanted.includes(peer) || baselines[set].includes(peer)) : []
}

async function refuseWrongAnswers(set, chosen, names) {
  const problems = set === 'trpc' ? await checkParity() : []
  for (const peer of chosen) problems.push(...(await checkPeer(set, peer, names)))
  if (problems.length)
    throw new Error(`answers are wrong, nothing was timed (--no-check to time anyway):\n${problems.join('\n')}`)
}

/** One round: a fresh process per peer, then workload by workload all peers in turn. */
async function runRound(set, order, names, round) {
  const servers = new Map()
  const samples = []
  try {
    for (const peer of order) servers.set(peer, await startServer(set, peer, { nice: options.nice }))
    for (const name of names) {
      for (const peer of order)
        samples.push({ round, peer, workload: name, ...(await measure(servers.get(peer), workloads[set][name])) })
    }
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()))
  }
  for (const { peer, workload, failed } of samples.filter((taken) => taken.failed))
    console.error(`dropped: ${peer} ${workload}: ${failed}`)
  return samples
}

async function measure(server, workload) {
  await sample(server.url, workload, options.warmup, options.nice)
  const before = await server.usage()
  const taken = await sample(server.url, workload, options.seconds, options.nice)
  const after = await server.usage()
  return { ...taken, cpuUs: ((after.cpuMs - before.cpuMs) * 1000) / taken.requests, rssMb: after.rssMb }
}
