/**
 * SIGTERM in the midst of calls, starts, waiting calls and watchers, over connections that last and new ones: whatever the
 * server accepted it answers, whatever it acknowledged ends once, and the process is gone when its grace is over.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startHost, type End, type HostProcess } from '../support/host-process.ts'
import { request, type Answer } from '../support/http.ts'
import { eventsIn } from '../support/sse.ts'
import { noRedis, startRedis, DURABLE } from '../support/servers/redis.ts'
import { taskOf, type Task } from '../support/tasks.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

const MAIN = new URL('../soak/host.ts', import.meta.url)

/** Milliseconds for running tasks. */
const GRACE = 2000
/** What requests get for their answers after that, and what a busy machine needs beyond. */
const ANSWERS = 10_000
const SLACK = 20_000

/** What one request came to. */
interface Fate {
  readonly id: string
  readonly line: string
  readonly answer?: Answer
  /** Why there is none. */
  readonly error?: NodeJS.ErrnoException
}

/** Callers in lanes, as many over connections that last as over new ones. */
class Crowd {
  readonly fates: Fate[] = []
  readonly accepted: Task[] = []
  readonly #url: string
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 24 })
  readonly #lanes: Promise<void>[] = []
  #isOver = false

  constructor(url: string) {
    this.#url = url
  }

  begin(): void {
    for (let lane = 0; lane < 8; lane++) {
      const agent = lane % 2 === 0 ? { agent: this.#agent } : {}
      this.#lane((n) => this.#send('POST /echo', { text: String(n), ms: n % 40 }, agent))
      this.#lane(async (n) => {
        const input = { ms: n % 200 }
        const path = n % 3 === 0 ? 'inline' : 'threads'
        const answer = await this.#send(`POST /${path}/work/tasks`, input, agent)
        if (answer?.status === 202) this.#watch(this.#accept(answer))
        await sleep(20)
      })
    }
    for (let lane = 0; lane < 4; lane++)
      this.#lane(async (n) => {
        const answer = await this.#send('POST /threads/work', { ms: 20 + (n % 100) }, {})
        if (answer?.status === 202) this.#accept(answer)
      })
  }

  /** Starts tasks that hear nothing and take longer than anybody waits, and waits for them. */
  async beginDeaf(): Promise<void> {
    for (let n = 0; n < 2; n++) {
      const input = { ms: GRACE * 4, deaf: true }
      const answer = await this.#send('POST /threads/work/tasks', input, {})
      this.#watch(this.#accept(answer as Answer))
    }
  }

  /** Every lane has come to its end. */
  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#lanes)
    this.#agent.destroy()
  }

  #accept(answer: Answer): Task {
    const task = taskOf(answer)
    this.accepted.push(task)
    return task
  }

  #watch({ id }: Task): void {
    this.#lanes.push(this.#send(`GET /tasks/${id}/events`, undefined, {}).then(() => undefined))
  }

  #lane(act: (n: number) => Promise<unknown>): void {
    const run = async (): Promise<void> => {
      for (let n = 0; !this.#isOver; n++) {
        await act(n)
        await sleep(1)
      }
    }
    this.#lanes.push(run())
  }

  async #send(line: string, json: unknown, options: { agent?: http.Agent }): Promise<Answer | undefined> {
    const id = crypto.randomUUID()
    const [method = '', path = ''] = line.split(' ')
    const body = json === undefined ? {} : { json }
    try {
      const headers = { 'x-request-id': id }
      const answer = await request(method, this.#url + path, { ...options, ...body, headers })
      this.fates.push({ id, line, answer })
      return answer
    } catch (error) {
      this.fates.push({ id, line, error: error as NodeJS.ErrnoException })
      await sleep(20)
      return undefined
    }
  }
}

interface Setting {
  readonly start: (more?: Readonly<Record<string, string>>) => HostProcess
  /** Ids of the requests that a server accepted. */
  readonly noted: () => ReadonlySet<string>
}

const settingOf = async (env: Readonly<Record<string, string>>): Promise<Setting> => {
  const dir = await tempDir()
  const notes = join(dir, 'notes')
  writeFileSync(notes, '')
  const start = (more = {}): HostProcess => {
    const own = { SOAK_DIR: dir, SOAK_NOTES: notes, SOAK_GRACE: String(GRACE) }
    const host = startHost(MAIN, { ...own, ...env, ...more })
    onTestFinished(async () => {
      host.kill('SIGKILL')
      await host.ended
    })
    return host
  }
  return { start, noted: () => new Set(readFileSync(notes, 'utf8').split('\n').filter(Boolean)) }
}

/** What may be: an answer, or no connection, or one that was let go of before the server heard of the request. */
const NO_CONNECTION: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

const judgeFates = ({ fates }: Crowd, noted: ReadonlySet<string>): void => {
  const dropped = fates.filter(({ id, error }) => error && noted.has(id))
  expect(dropped.map(({ line, error }) => `${line}: ${error?.message}`)).toEqual([])
  const strange = fates.filter(({ error }) => error && !NO_CONNECTION.has(error.code))
  expect(strange.map(({ line, error }) => `${line}: ${error?.message}`)).toEqual([])
  for (const { line, answer } of fates) {
    if (!answer) continue
    expect([200, 202, 503], `${line}: ${answer.text}`).toContain(answer.status)
    if (answer.status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  }
}

/** Every task that anybody was told of has ended well, and there is no other. */
const judgeTasks = async (url: string, crowd: Crowd): Promise<void> => {
  for (const { id } of crowd.accepted) {
    const ended = await until(
      `the end of ${id}`,
      async () => {
        const answer = await request('GET', `${url}/tasks/${id}?wait=20`)
        expect(answer.status, answer.text).toBe(200)
        return 'finishedAt' in taskOf(answer) && taskOf(answer)
      },
      60_000,
    )
    expect(ended).toMatchObject({ status: 'succeeded' })
  }
}

const listAll = async (url: string): Promise<Task[]> => {
  const all: Task[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const more: string = cursor === '' ? '' : `&cursor=${cursor}`
    const page = (await request('GET', `${url}/tasks?limit=200${more}`)).json as {
      items: Task[]
      nextCursor?: string
    }
    all.push(...page.items)
    cursor = page.nextCursor
  }
  return all
}

const gone = (host: HostProcess, within: number): Promise<End | 'still there'> =>
  Promise.race([host.ended, sleep(within, 'still there' as const, { ref: false })])

const PLACES = [
  { name: 'local()', reason: undefined, env: async () => ({}) },
  {
    name: 'bullmq() on Redis',
    reason: noRedis,
    env: async () => ({ SOAK_SERVER: (await startRedis(DURABLE)).url() }),
  },
]

for (const { name, reason, env } of PLACES)
  describe.skipIf(reason)(`a server of ${name} under load`, { timeout: 240_000 }, () => {
    test('that gets SIGTERM drops no request that it accepted and loses no task, and is gone in time', async () => {
      const setting = await settingOf(await env())
      const first = setting.start()
      const crowd = new Crowd(await first.url)
      await crowd.beginDeaf()
      crowd.begin()
      await until('load', () => crowd.accepted.length > 100, 60_000)

      first.kill('SIGTERM')
      expect(await gone(first, GRACE + ANSWERS + SLACK)).toEqual({ code: 0, signal: null })
      await crowd.end()
      judgeFates(crowd, setting.noted())
      const refused = crowd.fates.filter(({ answer }) => answer?.status === 503)
      expect(refused.length, 'starts that were told to come back').toBeGreaterThan(0)
      const watched = crowd.fates.filter(
        ({ line, answer }) => line.endsWith('/events') && answer?.status === 200,
      )
      expect(watched.length).toBeGreaterThan(50)
      for (const { answer } of watched)
        expect(['done', 'state']).toContain(eventsIn(answer!.text).at(-1)?.event)
      expect(first.errors()).not.toMatch(/^error:/m)

      const second = setting.start()
      const url = await second.url
      await judgeTasks(url, crowd)
      // Of a start that was accepted somebody was told; a waiting call may have had its output instead.
      const known = new Set(crowd.accepted.map(({ id }) => id))
      const outputs = crowd.fates.filter(
        ({ line, answer }) => line === 'POST /threads/work' && answer?.status === 200,
      )
      const others = (await listAll(url)).filter(({ id }) => !known.has(id))
      expect(others).toHaveLength(outputs.length)
    })

    test('that gets a second signal ends at once, and loses no task', async () => {
      const setting = await settingOf(await env())
      const first = setting.start({ SOAK_GRACE: '600000' })
      const crowd = new Crowd(await first.url)
      await crowd.beginDeaf()
      crowd.begin()
      await until('load', () => crowd.accepted.length > 50, 60_000)
      first.kill('SIGTERM')
      await until('the drain', () => first.errors().includes('closing'))
      const again = setInterval(() => first.kill('SIGTERM'), 700)
      expect(await gone(first, SLACK)).toEqual({ code: 143, signal: null })
      clearInterval(again)
      await crowd.end()
      const second = setting.start()
      await judgeTasks(await second.url, crowd)
    })
  })
