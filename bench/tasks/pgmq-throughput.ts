/**
 * No-op tasks per second on Postgres, submit to stored end, in rounds that take turns:
 *
 * - `documented`: pgmq as its documentation shows it: `send` for each job, `read` of a batch, `delete` of each. Keeps no
 *   record and no result.
 * - `queue`: the same by hand, batched: send_batch, read, delete of many.
 * - `record`: batched, with a row for each job (id, status, input, result), which is what whoever asks for a result needs:
 *   insert and send, read and mark, result and delete, each in one statement for all of a turn.
 * - `errand`: `pgmq()`, each task watched to its end, as a waiting call does; started where it runs.
 * - `record, apart` and `errand, apart`: the same two, started by this process and run by another.
 *
 * Run: node --conditions=errand-source bench/tasks/pgmq-throughput.ts [inFlight=64] [seconds=3] [rounds=5]
 *   [names, separated by /] [postgres://…]
 * Without a URL it starts a Postgres of its own, as safe as Postgres is by default, and tells its processor time too
 * (Linux). A database that is given has pgmq in it; what the bench makes there it drops.
 */
import { startPgmq } from '../../tests/support/pgmq/database.ts'
import { documented, queueLoop, recordApart, recordLoop } from './pgmq/by-hand.ts'
import { errandApart, errandTogether } from './pgmq/errand.ts'
import type { Runner } from './pgmq/runner.ts'
import { treeCpuMs } from './queues/cpu.mjs'

const [inFlight = '64', seconds = '3', rounds = '5', names = '', url] = process.argv.slice(2)

const KINDS = {
  documented,
  queue: queueLoop,
  record: recordLoop,
  errand: errandTogether,
  'record, apart': recordApart,
  'errand, apart': errandApart,
}

interface Sample {
  readonly perSecond: number
  /** Processor time per task in µs, of this process with its worker, and of the server. */
  readonly cpuUs: number
  readonly serverUs: number
}

const server = url === undefined ? await startPgmq({}) : undefined
const connection = url ?? (await server!.createDatabase())
const serverMs = (): number => (server ? treeCpuMs(server.pid) : 0)

const loop = async ({ runOne }: Runner, until: number): Promise<number> => {
  let count = 0
  for (; performance.now() < until; count++) await runOne()
  return count
}

const measure = async (runner: Runner, ms: number): Promise<Sample> => {
  const [cpu, ofServer, from] = [await runner.cpu(), serverMs(), performance.now()]
  const counts = await Promise.all(Array.from({ length: Number(inFlight) }, () => loop(runner, from + ms)))
  const took = performance.now() - from
  const count = counts.reduce((a, b) => a + b)
  return {
    perSecond: Math.round((count / took) * 1000),
    cpuUs: Math.round(((await runner.cpu()) - cpu) / count),
    serverUs: Math.round(((serverMs() - ofServer) * 1000) / count),
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

const runners: Runner[] = []
for (const [name, open] of Object.entries(KINDS))
  if (names === '' || names.split('/').includes(name)) runners.push(await open({ connection, lanes: Number(inFlight) }))
const results = new Map(runners.map(({ name }) => [name, [] as Sample[]]))
for (const runner of runners) await measure(runner, 1000)
for (let round = 0; round < Number(rounds); round++)
  for (const runner of runners) results.get(runner.name)!.push(await measure(runner, Number(seconds) * 1000))

/** Medians of the ratios within each round: what else the machine did then, it did to both. */
const ratio = (name: string, to: string): number | undefined => {
  const others = results.get(to)
  if (!others || to === name) return undefined
  const ratios = results.get(name)!.map(({ perSecond }, index) => perSecond / (others[index] as Sample).perSecond)
  return Number(median(ratios).toFixed(2))
}

console.log(`${inFlight} in flight, median of ${rounds} rounds of ${seconds} s`)
for (const [name, all] of results)
  console.log(
    JSON.stringify({
      name,
      perSecond: median(all.map(({ perSecond }) => perSecond)),
      toDocumented: ratio(name, 'documented'),
      toQueue: ratio(name, 'queue'),
      toRecord: ratio(name, name.endsWith('apart') ? 'record, apart' : 'record'),
      cpuUs: median(all.map(({ cpuUs }) => cpuUs)),
      serverUs: median(all.map(({ serverUs }) => serverUs)),
      all: all.map(({ perSecond }) => perSecond),
    }),
  )
for (const runner of runners) await runner.close()
await server?.kill()
