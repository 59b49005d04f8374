// Proves, before anything is timed, that each peer answers each workload rightly and refuses a wrong output.
import { isDeepStrictEqual } from 'node:util'
import { pathToFileURL } from 'node:url'
import { createTRPCClient, httpBatchLink } from '@trpc/client'
import { readOptions } from '../lib/options.mjs'
import { prepareErrand, withoutMissing } from '../lib/prepare.mjs'
import { startServer } from '../lib/processes.mjs'
import { baselines, peers, workloads } from './workloads.mjs'

/** Every way in which a peer's answers are wrong; an empty list is a pass. */
export async function checkPeer(set, peer, names = Object.keys(workloads[set])) {
  const problems = await withServer(set, peer, {}, (url) => checkAnswers(set, peer, url, names))
  const refuses = await withServer(set, peer, { BENCH_WRONG_OUTPUT: '1' }, (url) =>
    request(url, Object.values(workloads[set])[0]),
  )
  if (refuses.status !== 500)
    problems.push(`${set}/${peer}: a handler's wrong output gave ${refuses.status}, expected 500`)
  return problems
}

async function withServer(set, peer, env, use) {
  const server = await startServer(set, peer, { env })
  try {
    return await use(server.url)
  } finally {
    await server.stop()
  }
}

async function checkAnswers(set, peer, url, names) {
  const problems = []
  for (const name of names) {
    const { status, text } = await request(url, workloads[set][name])
    if (!isRight(workloads[set][name], status, text))
      problems.push(`${set}/${peer} ${name}: ${status} ${text.slice(0, 300)}`)
  }
  if (set === 'trpc' && !(await clientWorks(url))) problems.push(`${set}/${peer}: @trpc/client's own batch failed`)
  return problems
}

async function request(url, { path, method, headers, body }) {
  const response = await fetch(url + path, { method, headers, body })
  return { status: response.status, text: await response.text() }
}

function isRight(workload, status, text) {
  if (status !== workload.status) return false
  try {
    const body = JSON.parse(text)
    return workload.accepts ? workload.accepts(body) : isDeepStrictEqual(body, workload.answer)
  } catch {
    return false
  }
}

/** The requests we time are written by hand; this shows that the unmodified client's are answered too. */
async function clientWorks(url) {
  const client = createTRPCClient({ links: [httpBatchLink({ url: `${url}/trpc` })] })
  const answers = await Promise.all([1, 2, 3].map((a) => client.sum.query({ a, b: 1 })))
  const { sum } = await client.add.mutate({ a: 1, b: 2 })
  return isDeepStrictEqual([...answers.map((answer) => answer.sum), sum], [2, 3, 4, 3])
}

/** raw-trpc is a fair floor only if it answers what tRPC answers, byte for byte. */
export async function checkParity() {
  const texts = (peer) =>
    withServer('trpc', peer, {}, (url) =>
      Promise.all(Object.values(workloads.trpc).map((workload) => request(url, workload))),
    )
  const [hand, own] = [await texts('raw-trpc'), await texts('standalone')]
  const compare = (name, i) =>
    isDeepStrictEqual(hand[i], own[i])
      ? []
      : [`raw-trpc ${name} differs from standalone: ${JSON.stringify([hand[i], own[i]])}`]
  return Object.keys(workloads.trpc).flatMap(compare)
}

async function main() {
  prepareErrand()
  const { only, workloads: names } = readOptions({ only: null, workloads: null })
  const problems = baselines.trpc.every((peer) => !only || only.includes(peer)) ? await checkParity() : []
  for (const set of Object.keys(peers)) {
    for (const peer of withoutMissing(peers[set]).filter((name) => !only || only.includes(name))) {
      const found = await checkPeer(
        set,
        peer,
        Object.keys(workloads[set]).filter((name) => !names || names.includes(name)),
      )
      console.log(`${found.length ? 'FAIL' : 'ok  '} ${set}/${peer}`)
      problems.push(...found)
    }
  }
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main()
