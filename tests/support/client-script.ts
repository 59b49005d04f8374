/**
 * What a client does with tasks over REST and tRPC, told as a list of answers: the same on every engine, but for ids and
 * times. Each request goes to the next of the servers it is given, which are hosts of one app.
 */
import { createTRPCClient } from '@trpc/client'
import { errandLinks, startTask } from 'errand/client'
import type app from './apps/work.ts'
import { request, type Answer, type RequestOptions } from './http.ts'
import { until } from './until.ts'

/** One thing that was done, and what came of it. */
type Step = readonly [what: string, outcome: unknown]

interface Record_ {
  readonly id: string
  readonly status: string
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g
const REV = /("rev":)"[^"]*"/g

/** Ids in the order in which they come, and no times. */
const withoutChance = (steps: readonly Step[]): unknown => {
  const ids = new Map<string, string>()
  const name = (id: string): string => {
    if (!ids.has(id)) ids.set(id, `#${ids.size + 1}`)
    return ids.get(id) as string
  }
  const text = JSON.stringify(steps)
    .replaceAll(TIME, 'time')
    .replaceAll(UUID, name)
    .replaceAll(REV, '$1"rev"')
  return JSON.parse(text)
}

/** Each kind of event once, in the order in which they come. What a task says as it begins comes to who is quick. */
const kindsOf = (stream: string): string[] => {
  const all = [...stream.matchAll(/^event: (\w+)$/gm)].map((match) => match[1] as string)
  return [...new Set(all)].filter((kind) => kind !== 'state' && kind !== 'log')
}

/** Runs the script. */
export const runScript = async (urls: readonly string[]): Promise<unknown> => {
  const steps: Step[] = []
  let turn = 0
  const url = (): string => urls[turn++ % urls.length] as string
  const send = (line: string, options?: RequestOptions): Promise<Answer> => {
    const [method = '', path = ''] = line.split(' ')
    return request(method, url() + path, options)
  }
  const step = async (line: string, options?: RequestOptions): Promise<Answer> => {
    const answer = await send(line, options)
    const { location, 'content-location': content, 'idempotency-replayed': replayed } = answer.headers
    steps.push([line, { status: answer.status, body: answer.json, location, content, replayed }])
    return answer
  }
  const recordOf = (answer: Answer): Record_ => answer.json as Record_
  /** Starts a task and tells nothing but its end: whether it is running yet depends on who is quick. */
  const start = async (path: string, options: RequestOptions): Promise<string> =>
    recordOf(await send(`POST ${path}/tasks`, options)).id
  const end = (id: string): Promise<Answer> => step(`GET /tasks/${id}?wait=25`)
  const running = (id: string): Promise<unknown> =>
    until('the task', async () => recordOf(await send(`GET /tasks/${id}`)).status === 'running', 20_000)

  await step('POST /slow', { json: { n: 2, ms: 60 } })
  for (const path of ['/by/two', '/by/three', '/by/four']) await step(`POST ${path}`, { json: { n: 7 } })
  await step('POST /fails', { json: { text: 'Intentional error' } })
  await step('POST /unlucky', { json: { declared: true } })
  await step('POST /unlucky', { json: { declared: false } })
  await step('POST /flaky', { json: { goodFrom: 2 } })
  await step('POST /nothing')
  await step('POST /wrong')
  await step('POST /late')
  await step('POST /dies', { json: {} })
  await step('POST /nests', { json: { n: 1 } })
  await step('POST /slow/tasks', { json: { n: 'text' } })

  const key = { 'idempotency-key': 'one' }
  const keyed = await start('/keyed', { json: { order: 'a' }, headers: key })
  await end(keyed)
  await step('POST /keyed/tasks', { json: { order: 'a' }, headers: key })
  await step('POST /keyed/tasks', { json: { order: 'b' }, headers: key })

  const failed = await start('/flaky', { json: { goodFrom: 2 }, headers: { 'task-tags': 'tried' } })
  await end(failed)
  await send(`POST /tasks/${failed}/retry`)
  await end(failed)
  await step(`POST /tasks/${failed}/retry`)
  await step(`GET /tasks/${failed}/result`)
  await step('GET /tasks?tag=tried')
  await step(`DELETE /tasks/${failed}`)
  await step(`GET /tasks/${failed}`)

  const deaf = await start('/spins', { json: {} })
  await running(deaf)
  steps.push(['cancel', (await send(`POST /tasks/${deaf}/cancel`)).status])
  await end(deaf)
  await step(`GET /tasks/${deaf}/result`)
  const later = await start('/later', { json: { n: 1 }, headers: { 'task-delay': '1h' } })
  await step(`POST /tasks/${later}/cancel`)

  const watched = await start('/slow', { json: { n: 3, ms: 900 } })
  await running(watched)
  steps.push(['events', kindsOf((await send(`GET /tasks/${watched}/events`)).text)])

  const client = () => createTRPCClient<typeof app.router>({ links: errandLinks({ url: url() }) })
  steps.push(['run', await client().by.two.run.mutate({ n: 4 })])
  const handle = await startTask(client().slow, { n: 5, ms: 900 })
  let last: unknown
  for await (const progress of handle.progress()) last = progress
  steps.push(['progress', last], ['result', await handle.result()])
  const listed = await client().tasks.list.query({ procedure: 'by.four' })
  steps.push(['list', listed.items.map(({ status, procedure, attempt }) => [procedure, status, attempt])])
  return withoutChance(steps)
}
