// What a process has cost when its first request is answered. `--only raw,errand,fastify --rounds 7`
import { readOptions } from './lib/options.mjs'
import { prepareErrand, withoutMissing } from './lib/prepare.mjs'
import { startServer } from './lib/processes.mjs'
import { markdownTable, writeReport } from './lib/report.mjs'
import { fixed, median, rotate } from './lib/stats.mjs'
import { workloads } from './http/workloads.mjs'

const options = readOptions({ rounds: 7, only: ['raw', 'errand'], build: true })
const { path, status, ...request } = workloads.rest.W1

prepareErrand(options.build)
const peers = withoutMissing(options.only)
const starts = []
for (let round = 0; round < options.rounds; round++) {
  for (const peer of rotate(peers, round)) starts.push({ round, peer, ...(await coldStart(peer)) })
}
print(peers.map((peer) => summarize(peer)))

async function coldStart(peer) {
  const server = await startServer('rest', peer)
  try {
    const response = await fetch(server.url + path, request)
    const wallMs = performance.now() - server.startedAt
    if (response.status !== status) throw new Error(`${peer} answered ${response.status}`)
    return { wallMs, ...(await server.usage()) }
  } finally {
    await server.stop()
  }
}

function summarize(peer) {
  const own = starts.filter((start) => start.peer === peer)
  const middle = (key) => median(own.map((start) => start[key]))
  return { peer, cpuMs: middle('cpuMs'), wallMs: middle('wallMs'), rssMb: middle('rssMb') }
}

function print(table) {
  const [raw] = table
  const rows = table.map(({ peer, cpuMs, wallMs, rssMb }) => [
    peer,
    fixed(cpuMs, 0),
    `**${fixed(cpuMs / raw.cpuMs, 2)}**`,
    fixed(wallMs, 0),
    fixed(rssMb, 0),
    fixed(rssMb - raw.rssMb, 1),
  ])
  console.log(
    `\n### Cold start, median of ${options.rounds}\n\n${markdownTable(['peer', 'CPU ms', `ratio to ${raw.peer}`, 'wall ms', 'RSS MiB', `over ${raw.peer}`], rows)}`,
  )
  writeReport('cold-start', { options, table, starts })
}
