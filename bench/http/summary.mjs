// From samples to figures: best, median, and what each peer is of the baseline.
import { markdownTable } from '../lib/report.mjs'
import { best, fixed, least, median } from '../lib/stats.mjs'

/** `table[peer][workload]`, with a ratio per baseline. */
export function summarize(samples, { chosen, names, baselines }) {
  const good = samples.filter((sample) => !sample.failed)
  const of = (peer, workload) => good.filter((sample) => sample.peer === peer && sample.workload === workload)
  const cell = (peer, name) => ({
    ...figures(of(peer, name)),
    ratios: Object.fromEntries(baselines.map((base) => [base, ratio(of(peer, name), of(base, name))])),
  })
  return Object.fromEntries(
    chosen.map((peer) => [peer, Object.fromEntries(names.map((name) => [name, cell(peer, name)]))]),
  )
}

function figures(samples) {
  if (!samples.length) return { samples: 0 }
  const fastest = samples.reduce((a, b) => (b.rps > a.rps ? b : a))
  const { rps, p50, p99 } = fastest
  return {
    samples: samples.length,
    best: rps,
    median: median(samples.map((s) => s.rps)),
    p50,
    p99,
    cpuUs: least(samples.map((s) => s.cpuUs)),
    rssMb: median(samples.map((s) => s.rssMb)),
  }
}

/** best/best (the quietest sample of each), the median over rounds, and CPU per request turned so that more is better. */
function ratio(samples, base) {
  if (!samples.length || !base.length) return {}
  const perRound = samples.map((s) => s.rps / base.find((b) => b.round === s.round)?.rps)
  const cpu = (list) => least(list.map((s) => s.cpuUs))
  return {
    best: best(samples.map((s) => s.rps)) / best(base.map((s) => s.rps)),
    median: median(perRound),
    cpu: cpu(base) / cpu(samples),
  }
}

export function printTables(set, table, { names, titles, baselines }) {
  const header = ['peer', ...names.map((name) => `${name} ${titles[name].title}`)]
  const print = (title, text) =>
    console.log(`\n### ${set}: ${title}\n\n${markdownTable(header, rows(table, names, text))}`)
  for (const base of baselines) {
    print(
      `requests/s, **best/best against ${base}** (median of rounds)`,
      (c) => `${fixed(c.best, 0)}, **${fixed(c.ratios[base].best, 2)}** (${fixed(c.ratios[base].median, 2)})`,
    )
  }
  print(
    `server CPU per request in us, least (**${baselines[0]} / peer**)`,
    (c) => `${fixed(c.cpuUs, 1)} (**${fixed(c.ratios[baselines[0]].cpu, 2)}**)`,
  )
  print('p50 / p99 in ms of the best sample', (c) => `${fixed(c.p50, 2)} / ${fixed(c.p99, 1)}`)
}

function rows(table, names, text) {
  return Object.entries(table).map(([peer, cells]) => [
    peer,
    ...names.map((name) => (cells[name].samples ? text(cells[name]) : '-')),
  ])
}
