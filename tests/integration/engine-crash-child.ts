/**
 * Starts tasks without a pause and tells its parent of each that was acknowledged, until it is killed.
 * Run by engine-crash.test.ts: node engine-crash-child.ts <dir or url>
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineHost } from '../../src/tasks/engine.ts'
import { local } from '../../src/tasks/engines/local.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { toPolicy } from '../../src/tasks/policy.ts'

const place = process.argv[2]!
const engine = await local(place.includes('://') ? { store: place } : { dir: place }).create()
const policy = toPolicy({ retry: { attempts: 1000, backoff: 'none' } })

/** Some end, some fail and run again, some go on for ever. */
const host: EngineHost = {
  policy: () => policy,
  slots: () => 200,
  run: async ({ task, progress }) => {
    const { n } = task.input as { n: number }
    const kind = n % 4
    if (n % 64 === 0) await sleep(1_000_000)
    if (kind === 0) await sleep(Math.random() * 200)
    if (kind === 1) await sleep(Math.random() * 20)
    progress({ kind })
    if (kind === 2 && Math.random() < 0.5)
      return { kind: 'error', error: { code: 'INTERNAL_SERVER_ERROR', status: 500, message: 'again' } }
    return { kind: 'value', value: task.input }
  },
  report: (message, error) => console.error(message, error),
}

/** One write per line, and none lost: the pipe holds what the parent has not read when this process dies. */
const tell = (line: string): void => void process.stdout.write(`${line}\n`)

const startTasks = async (lane: number): Promise<never> => {
  for (let n = lane; ; n += 16) {
    const id = createTaskId()
    await engine.submit({ id, procedure: 'work', input: { n }, maxAttempts: 1000, owner: null, priority: 0 })
    tell(`started ${id} ${n}`)
    if (n % 4 === 1) void watchEnd(id)
    if (n % 64 === 0) await engine.cancel(id).then(() => tell(`cancel ${id}`))
  }
}

const watchEnd = async (id: string): Promise<void> => {
  for await (const event of engine.events(id, { signal: new AbortController().signal }))
    if (event.type === 'done') tell(`ended ${id}`)
}

await engine.open(host)
engine.work(['work'])
tell('open')
await Promise.all(Array.from({ length: 16 }, (_, lane) => startTasks(lane)))
