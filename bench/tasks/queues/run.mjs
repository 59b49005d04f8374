// Durable tasks per second: Errand in one process against queues with a server. See ../../README.md.
// `--rounds 5 --seconds 2 --at 1,64,256 --only errand,bullmq --latency`
import { prepareErrand, withoutMissing } from '../../lib/prepare.mjs'
import { readOptions } from '../../lib/options.mjs'
import { loadNow, markdownTable, writeReport } from '../../lib/report.mjs'
import { best, fixed, least, median, rotate } from '../../lib/stats.mjs'
import { measureCase, measureLatency } from './case.mjs'
import { contenders } from './contenders.mjs'
import { serverKinds } from './servers.mjs'

const options = readOptions({ rounds: 5, seconds: 2, at: ['1', '64', '256'], only: null, latency: true, build: true })

prepareErrand(options.build)
const servers = {}
const samples = []
const loads = [loadNow()]
try {
  const names = await startServers(chosenNames())
  for (let round = 0; round < options.rounds; round++) {
    for (const inFlight of options.at.map(Number)) await visit(rotate(names, round), round, inFlight)
    loads.push(loadNow())
    console.error(`round ${round + 1} of ${options.rounds}, load average ${loadNow().toFixed(1)}`)
  }
  for (const inFlight of options.at.map(Number)) printThroughput(names, inFlight)
  if (options.latency) printLatency(names)
  writeReport('queues', { options, loads, samples })
} finally {
  await Promise.all(Object.values(servers).map((server) => server.stop()))
}

function chosenNames() {
  const there = withoutMissing(Object.keys(contenders))
  return there.filter((name) => !options.only || options.only.includes(name))
}

/** Starts what the contenders need; those whose server this machine lacks are left out. */
async function startServers(names) {
  for (const kind of new Set(names.map((name) => contenders[name].server).filter(Boolean))) {
    try {
      servers[kind] = await serverKinds[kind]()
    } catch (error) {
      console.error(`note: no ${kind}: ${error.message}`)
    }
  }
  return names.filter((name) => !contenders[name].server || servers[contenders[name].server])
}

async function visit(names, round, inFlight) {
  for (const name of names) {
    const contender = contenders[name]
    const given = { contender, server: servers[contender.server] }
    const rate = await measureCase({ ...given, inFlight, seconds: options.seconds })
    samples.push({ round, name, inFlight, ...rate })
    console.error(`${name}, ${inFlight} in flight: ${fixed(rate.perSecond, 0)}/s, ${fixed(rate.cpuUs, 0)} µs`)
    if (options.latency && inFlight === 1) samples.push({ round, name, inFlight: 'alone', ...(await measureLatency(given)) })
  }
}

function valuesOf(name, inFlight, key) {
  return samples.filter((sample) => sample.name === name && sample.inFlight === inFlight).map((sample) => sample[key])
}

function printThroughput(names, inFlight) {
  const of = (name, key) => valuesOf(name, inFlight, key)
  const rows = names.map((name) => {
    const rates = of(name, 'perSecond')
    const perRound = of('errand', 'perSecond').map((rate, round) => rate / of(name, 'perSecond')[round])
    return [
      name,
      fixed(median(rates), 0),
      fixed(best(rates), 0),
      `**${fixed(median(of('errand', 'perSecond')) / median(rates), 1)}** (${fixed(least(perRound), 1)} to ${fixed(best(perRound), 1)})`,
      fixed(median(of(name, 'cpuUs')), 0),
      ...(name === 'errand' ? [fixed(median(of(name, 'p50')), 2), fixed(median(of(name, 'p99')), 1)] : ['', '']),
    ]
  })
  const header = [`${inFlight} in flight`, 'tasks/s', 'best', 'errand is × faster', 'CPU µs per task', 'p50 ms', 'p99 ms']
  console.log(`\n${markdownTable(header, rows)}`)
}

function printLatency(names) {
  const rows = names.map((name) => [name, ...['p50', 'p99'].map((key) => fixed(median(valuesOf(name, 'alone', key)), 2))])
  console.log(`\n${markdownTable(['one task alone, ms', 'p50', 'p99'], rows)}`)
}
