/** What callers do, each to its end, and what must come of it. */
import type { TaskRecord } from 'errand'
import { startTask, TaskError } from 'errand/client'
import type { Caller } from './caller.ts'

type Act = (caller: Caller) => Promise<unknown>

const pathOf = ({ random }: Caller): string => random.one(['/threads/work', '/inline/work'])

const start = async (caller: Caller, input: object, headers = {}): Promise<string | undefined> => {
  const answer = await caller.expecting([202], `POST ${pathOf(caller)}/tasks`, input, { headers })
  if (answer.status !== 202) return undefined
  caller.ledger.started++
  return (answer.json as TaskRecord).id
}

const forget = (caller: Caller, id: string): Promise<unknown> =>
  caller.expecting([204], `DELETE /tasks/${id}`)

const endsAs = async (caller: Caller, id: string, ...statuses: string[]): Promise<void> => {
  const record = await caller.ended(id)
  const is = record?.status ?? 'gone'
  caller.ledger.expect(statuses.includes(is), () => `task ${id} is ${is}, not ${statuses.join(' or ')}`)
}

const call: Act = async (caller) => {
  const text = 'x'.repeat(caller.random.between(1, 2000))
  const answer = await caller.expecting([200], 'POST /echo', { text })
  caller.ledger.expect((answer.json as { text?: string }).text === text, () => 'POST /echo: another text')
}

const callTrpc: Act = async ({ trpc, ledger, random }) => {
  const texts = Array.from({ length: random.between(1, 5) }, (_, n) => `t${n}`)
  const echoed = await Promise.all(texts.map((text) => trpc.echo.query({ text })))
  ledger.expect(
    echoed.every(({ text }, n) => text === texts[n]),
    () => 'a batch in another order',
  )
  await trpc.order.mutate({ sku: 'hat' })
}

const refused: Act = async (caller) => {
  await caller.expecting([409], 'POST /order', { sku: 'none' })
  await caller.expecting([400], 'POST /order', { sku: 7 })
  await caller.expecting([404], 'GET /nowhere')
  await caller.expecting([404], `GET /tasks/${crypto.randomUUID()}`)
  await caller.trpc.order.mutate({ sku: 'none' }).then(
    () => caller.ledger.fault('order over tRPC sold what there is none of'),
    () => undefined,
  )
}

const poll: Act = async (caller) => {
  const id = await start(caller, { ms: caller.random.between(0, 60) })
  if (id === undefined) return
  await endsAs(caller, id, 'succeeded')
  await forget(caller, id)
}

const wait: Act = async (caller) => {
  const answer = await caller.expecting([200], `POST ${pathOf(caller)}`, { ms: 10 })
  const id = String(answer.headers['content-location']).split('/').at(-1) as string
  caller.ledger.started++
  await forget(caller, id)
}

/** Each change once and in order, ends with the end, and nothing after it. */
const watch: Act = async (caller) => {
  const id = await start(caller, { ms: caller.random.between(20, 120) })
  if (id === undefined) return
  const kinds: string[] = []
  let last = 0
  for await (const { event, data } of caller.events(`/tasks/${id}/events`)) {
    kinds.push(event)
    const { step = last } = event === 'progress' ? (data as { step?: number }) : {}
    caller.ledger.expect(step >= last, () => `progress of ${id} went back from ${last} to ${step}`)
    last = step
  }
  const ends = kinds.filter((kind) => kind === 'done').length
  caller.ledger.expect(ends === 1 && kinds.at(-1) === 'done', () => `events of ${id}: ${kinds.join(' ')}`)
  await endsAs(caller, id, 'succeeded')
  await forget(caller, id)
}

const handle: Act = async (caller) => {
  const { trpc, ledger, random } = caller
  const ms = random.between(10, 80)
  const task = await startTask(random.one([trpc.threads.work, trpc.inline.work]), { ms })
  ledger.started++
  for await (const { step } of task.progress()) ledger.expect(step >= 1 && step <= 4, () => `step ${step}`)
  ledger.expect((await task.result()).ms === ms, () => `the result of ${task.id} is another's`)
  await trpc.tasks.remove.mutate({ id: task.id })
}

const cancel: Act = async (caller) => {
  const id = await start(caller, { ms: caller.random.between(20, 400), deaf: caller.random.chance(0.1) })
  if (id === undefined) return
  await caller.expecting([200, 202], `POST /tasks/${id}/cancel`)
  await endsAs(caller, id, 'cancelled', 'succeeded')
  await forget(caller, id)
}

const failAndRetry: Act = async (caller) => {
  const id = await start(caller, { ms: 5, goodFrom: 9 })
  if (id === undefined) return
  await endsAs(caller, id, 'failed')
  await caller.expecting([202], `POST /tasks/${id}/retry`)
  caller.ledger.retried++
  await endsAs(caller, id, 'failed')
  await forget(caller, id)
}

const failTrpc: Act = async ({ trpc, ledger }) => {
  const task = await startTask(trpc.threads.work, { ms: 5, goodFrom: 9 })
  ledger.started++
  const end = await task.result().catch((error: unknown) => error)
  ledger.expect(end instanceof TaskError, () => `${task.id} did not fail: ${String(end)}`)
  await trpc.tasks.remove.mutate({ id: task.id })
}

const keyed: Act = async (caller) => {
  const key = crypto.randomUUID()
  const headers = { 'idempotency-key': key }
  const starts = [1, 2, 3].map(() =>
    caller.expecting([202], 'POST /inline/work/tasks', { ms: 5 }, { headers }),
  )
  const ids = new Set((await Promise.all(starts)).map((answer) => (answer.json as TaskRecord).id))
  caller.ledger.started++
  caller.ledger.expect(ids.size === 1, () => `one key, ${ids.size} tasks`)
  for (const id of ids) {
    await endsAs(caller, id, 'succeeded')
    await forget(caller, id)
  }
}

const subscribe: Act = async (caller) => {
  const seen: unknown[] = []
  for await (const { event, data } of caller.events('/ticks?count=5&ms=2'))
    if (event === 'message') seen.push(data)
  caller.ledger.expect(seen.join() === '0,1,2,3,4', () => `ticks: ${seen.join()}`)
}

/** A watcher or a reader who goes in the middle. */
const leave: Act = async (caller) => {
  const id = await start(caller, { ms: 60 })
  for (const path of [`/tasks/${id}/events`, '/ticks?count=1000&ms=5']) {
    caller.ledger.dropped++
    const signal = AbortSignal.timeout(caller.random.between(1, 40))
    try {
      for await (const _ of caller.events(path, signal)) if (caller.random.chance(0.1)) break
    } catch {
      // It is he who broke off.
    }
  }
  if (id === undefined) return
  await endsAs(caller, id, 'succeeded')
  await forget(caller, id)
}

/** Tasks that this starts nobody may hear of. */
const breakOff: Act = async (caller) => {
  const after = caller.random.between(1, 25)
  await caller.breakOff('POST /echo', { text: 'x'.repeat(100_000), ms: 20 }, after)
  await caller.breakOff(`POST ${pathOf(caller)}`, { ms: 30 }, after)
  await caller.breakOff('GET /tasks?limit=50', undefined, 2)
}

/** By name, with how often against the others. */
export const ACTS: Readonly<Record<string, { readonly act: Act; readonly weight: number }>> = {
  call: { act: call, weight: 20 },
  callTrpc: { act: callTrpc, weight: 10 },
  refused: { act: refused, weight: 3 },
  poll: { act: poll, weight: 5 },
  wait: { act: wait, weight: 5 },
  watch: { act: watch, weight: 5 },
  handle: { act: handle, weight: 4 },
  cancel: { act: cancel, weight: 4 },
  failAndRetry: { act: failAndRetry, weight: 2 },
  failTrpc: { act: failTrpc, weight: 2 },
  keyed: { act: keyed, weight: 2 },
  subscribe: { act: subscribe, weight: 3 },
  leave: { act: leave, weight: 3 },
  breakOff: { act: breakOff, weight: 4 },
}
