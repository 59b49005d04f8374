/** What callers do, in lanes at once, as long as a host lives: start, wait, watch, cancel, retry. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskRecord } from 'errand'
import type { Client, Told } from './client.ts'
import type { Random } from './random.ts'
import { isEnded, type Heard, type Testimony } from './testimony.ts'

/** What a lane works with. */
export interface Lane {
  readonly client: Client
  readonly told: Testimony
  readonly random: Random
}

const LANES = 16

/** Milliseconds. Errand says 503 within 10 s; the rest is for a busy machine. A start without an answer by then hangs. */
const ANSWERED_WITHIN = 60_000

const WHERE = ['threads', 'processes', 'inline'] as const

/** How often each kind of task is started against the others. */
const TEMPERS = {
  quick: 8,
  slow: 6,
  retrying: 4,
  declared: 1,
  hurried: 2,
  once: 2,
  fragile: 2,
  parent: 3,
  busy: 2,
  late: 1,
  deaf: 2,
  exits: 1,
} as const

/** Those that would take the host along. */
const WILD: readonly string[] = ['busy', 'late', 'deaf', 'exits'] satisfies (keyof typeof TEMPERS)[]

const startRequest = ({ random }: Lane) => {
  const temper = random.weighted(TEMPERS)
  const where = WILD.includes(temper) ? random.one(['threads', 'processes'] as const) : random.one(WHERE)
  const ms = random.one([0, 5, 20, 80, 200, 400])
  const headers: Record<string, string> = {}
  if (random.chance(0.15)) headers['task-delay'] = `${random.between(1, 900)}ms`
  if (random.chance(0.2)) headers['task-priority'] = String(random.between(-5, 5))
  return { path: `/${where}/${temper}`, input: { ms, goodFrom: random.between(1, 5) }, headers }
}

/** Whether a start was accepted; a host that ends refuses it, and nothing else is allowed. */
const isAccepted = ({ told }: Lane, what: string, { status, text }: Told): boolean => {
  if (status === 202) return true
  if (status === 503) told.refused += 1
  else told.fault(`${what} was answered ${status}: ${text}`)
  return false
}

/** A start, which has an answer in time, whatever else happens. */
const sendStart = async (
  { client, told }: Lane,
  path: string,
  input: unknown,
  headers: Record<string, string>,
): Promise<Told> => {
  try {
    return await client.send('POST', `${path}/tasks`, input, headers, ANSWERED_WITHIN)
  } catch (error) {
    if (isTimeout(error)) told.fault(`POST ${path}/tasks had no answer within ${ANSWERED_WITHIN} ms`)
    throw error
  }
}

/** Starts a task of any temper; undefined when that was refused. */
export const start = async (lane: Lane): Promise<Heard | undefined> => {
  const { path, input, headers } = startRequest(lane)
  const answer = await sendStart(lane, path, input, headers)
  return isAccepted(lane, `POST ${path}/tasks`, answer) ? lane.told.accepted(answer.record) : undefined
}

/** Several starts at once with one key, which may have been used by a host before. */
const startKeyed = async (lane: Lane): Promise<void> => {
  const { told, random } = lane
  const key = `key-${random.between(1, 60)}`
  const path = `/${random.one(['threads', 'processes'] as const)}/quick`
  const headers = { 'idempotency-key': key, 'task-tags': key }
  const starts = Array.from({ length: random.between(1, 6) }, async () => {
    const answer = await sendStart(lane, path, { ms: 0 }, headers)
    if (!isAccepted(lane, `POST ${path}/tasks`, answer)) return
    told.accepted(answer.record)
    told.keyed(`${path} ${key}`, answer.record.id)
  })
  await Promise.allSettled(starts)
}

/** A plain call: waits for the output, or is told that the task goes on. */
const callAndWait = async (lane: Lane): Promise<void> => {
  const path = `/${lane.random.one(WHERE)}/quick`
  const answer = await lane.client.send('POST', path, { ms: 0 })
  const id = answer.contentLocation?.split('/').at(-1)
  if (id) await read(lane, lane.told.accepted({ id, procedure: path }))
  if (answer.status === 202) lane.told.accepted(answer.record)
  // Often enough killed, any task has used its attempts.
  else if (answer.status !== 200 && !answer.text.includes('WORKER_LOST'))
    isAccepted(lane, `POST ${path}`, answer)
}

/** What one may read of a task that was accepted: its record, or that the host is about to end. */
const read = async ({ client, told }: Lane, { id }: Heard, query = ''): Promise<TaskRecord | undefined> => {
  const answer = await client.send('GET', `/tasks/${id}${query}`)
  if (answer.status === 200) {
    told.saw(answer.record)
    return answer.record
  }
  if (answer.status !== 503) told.fault(`GET /tasks/${id} was answered ${answer.status}: ${answer.text}`)
  return undefined
}

/** From where it was left. Resolves with whether that went to the end of the task. */
export const watch = async ({ client, told }: Lane, heard: Heard): Promise<boolean> => {
  let done = false
  for await (const { event, id, data } of client.watch(heard.id, heard.lastEventId)) {
    if (id !== undefined) heard.lastEventId = id
    if (event === 'state' || event === 'done') told.saw(data as TaskRecord)
    if (event === 'done' && !isEnded(data as TaskRecord)) told.fault(`done of ${heard.id} before its end`)
    done ||= event === 'done'
  }
  return done
}

const cancel = async ({ client, told }: Lane, heard: Heard): Promise<void> => {
  const { status, text, record } = await client.send('POST', `/tasks/${heard.id}/cancel`)
  if (status === 200) {
    told.saw(record)
    if (record.status === 'cancelled' && record.attempt === 0) heard.cancelledUnrun ??= record
  } else if (status === 202) heard.cancelTold ??= record
  else if (status !== 503) told.fault(`cancel of ${heard.id} was answered ${status}: ${text}`)
}

/** Only what has ended badly can be retried; a 409 says that it has not. */
const retry = async (lane: Lane, heard: Heard): Promise<void> => {
  const before = await read(lane, heard)
  if (!before || !isEnded(before) || before.status === 'succeeded') return
  heard.retriesSent += 1
  const { status, text } = await lane.client.send('POST', `/tasks/${heard.id}/retry`)
  if (status === 202) {
    heard.retriesTold += 1
    heard.endedBeforeRetry = before
  } else if (status !== 503 && status !== 409) lane.told.fault(`retry of ${heard.id}: ${status}: ${text}`)
}

type Act = (lane: Lane, heard: Heard) => Promise<unknown>

/** What is done with a task, and how often against the others. */
const AFTERWARDS: Readonly<Record<string, Act>> = {
  leave: async () => {},
  watch,
  poll: (lane, heard) => read(lane, heard, '?wait=20'),
  cancel,
  cancelLater: async (lane, heard) => {
    await sleep(lane.random.between(5, 120))
    await cancel(lane, heard)
  },
}
const WEIGHTS = { leave: 4, watch: 3, poll: 3, cancel: 1, cancelLater: 2 }

const actOnOld = async (lane: Lane): Promise<void> => {
  const all = [...lane.told.tasks.values()]
  if (all.length === 0) return
  // Mostly of late: what happened around a kill is what is of interest.
  const from = lane.random.chance(0.7) ? Math.max(0, all.length - 150) : 0
  const heard = all[lane.random.between(from, all.length - 1)]!
  await lane.random.one<Act>([read, watch, retry, cancel])(lane, heard)
}

const step = async (lane: Lane): Promise<void> => {
  const roll = lane.random.next()
  if (roll < 0.12) return startKeyed(lane)
  if (roll < 0.2) return callAndWait(lane)
  if (roll < 0.35) return actOnOld(lane)
  const heard = await start(lane)
  if (heard) await AFTERWARDS[lane.random.weighted(WEIGHTS)]!(lane, heard)
}

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError'

/** A broken connection, of a host that is gone or going; or the end of the load; or what was noted as a fault. */
export const isOver = (error: unknown): boolean =>
  isTimeout(error) ||
  (error instanceof Error &&
    (error.name === 'AbortError' || error.message === 'fetch failed' || error.message === 'terminated'))

/** Goes on until the host is gone or the signal aborts. */
const runLane = async (lane: Lane, over: AbortSignal): Promise<void> => {
  while (!over.aborted)
    try {
      await step(lane)
      await sleep(lane.random.between(1, 25), undefined, { signal: over })
    } catch (error) {
      if (!isOver(error)) throw error
      await sleep(20)
    }
}

/** All lanes. Resolves when the signal has aborted. */
export const runLoad = async (lane: Lane, over: AbortSignal): Promise<void> => {
  await Promise.all(Array.from({ length: LANES }, () => runLane(lane, over)))
}
