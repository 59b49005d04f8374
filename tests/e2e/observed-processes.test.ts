/** Logs and spans of one task that one process takes and another runs, in one trace: told from what both wrote. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { errandCommand } from '../support/child-server.ts'
import { startPgmq } from '../support/pgmq/database.ts'
import { afterwards } from '../support/afterwards.ts'
import { talkTo } from '../support/serve.ts'
import { noPostgres } from '../support/servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'

type Line = Readonly<Record<string, unknown>>

const root = path.resolve(import.meta.dirname, '../..')
const APP = 'tests/fixtures/observed/app.ts'
const PATIENCE = 40_000

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, 'x-request-id': 'order-7' }

/** A process that writes what it does. */
const start = (args: readonly string[], env: Readonly<Record<string, string>>) => {
  const [program, all] = errandCommand(...args)
  const child = spawn(program, all, {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = ['', '']
  for (const [index, stream] of [child.stdout, child.stderr].entries())
    stream.on('data', (chunk: Buffer) => (texts[index] += String(chunk)))
  const said = (): string => texts.join('\n')
  afterwards(async () => {
    if (child.exitCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  })
  const lines = (): Line[] =>
    said()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Line)
  return { pid: child.pid, said, lines }
}

const redis = noRedis ? undefined : await startRedis(DURABLE)
const postgres = noPostgres ? undefined : await startPgmq()

describe.each([
  { engine: 'bullmq', connect: async () => redis!.url(), missing: noRedis },
  { engine: 'pgmq', connect: () => postgres!.createDatabase(), missing: noPostgres },
])('a task that two processes share over $engine', ({ engine, connect, missing }) => {
  test.skipIf(missing !== undefined)(
    'is one trace in the logs and the spans of both',
    async () => {
      const env = { TEST_ENGINE: engine, TEST_CONNECTION: await connect() }
      const front = start(['serve', APP, '--port', '0'], { ...env, ERRAND_WORK: '0' })
      const back = start(['worker', APP], env)
      const url = await until('the server', () => /http:\S+?:\d+/.exec(front.said())?.[0], PATIENCE)

      const { call, get } = talkTo(url)
      const { id } = (await call('/greet/tasks', { name: 'Ada' }, headers)).json as { id: string }
      expect((await get(`/tasks/${id}/result?wait=30`)).json).toBe('Hello Ada')
      await until('the last span', () => back.lines().some(({ span }) => span === 'run greet'), PATIENCE)
      await until('the last line', () => back.lines().some(({ msg }) => msg === 'task succeeded'), PATIENCE)

      const ours = ({ traceId }: Line): boolean => traceId === TRACE
      const wordsOf = (lines: readonly Line[], field: string): string[] =>
        lines.filter(ours).flatMap((line) => (typeof line[field] === 'string' ? [line[field]] : []))
      const messages = (lines: readonly Line[]): string[] => wordsOf(lines, 'msg')
      const spans = (lines: readonly Line[]): string[] => wordsOf(lines, 'span')
      expect(messages(front.lines())).toEqual(['task queued', 'request'])
      expect(messages(back.lines())).toEqual([
        'task started',
        'greeting',
        expect.stringMatching(/^greet failed \(task .*, attempt 1 of 2\): Error: not yet$/),
        'task retrying',
        'task started',
        'greeting',
        'task succeeded',
      ])
      expect(spans(front.lines())).toEqual(['start greet', 'POST /greet/tasks'])
      const attempt = ['of the handler', 'attempt greet', 'wait greet']
      expect(spans(back.lines()).toSorted()).toEqual([...attempt, ...attempt, 'run greet'].toSorted())

      const request = front.lines().find(({ msg, traceId }) => msg === 'request' && traceId === TRACE)
      expect(request).toMatchObject({ requestId: 'order-7', taskId: id })
      for (const line of back.lines().filter(({ taskId }) => taskId === id))
        expect(line['traceId']).toBe(TRACE)
      const started = front.lines().find(({ span }) => span === 'start greet')
      const attempts = back.lines().filter(({ span }) => span === 'attempt greet')
      expect(attempts.map(({ parent, by }) => [parent, by])).toEqual([
        [started!['spanId'], back.pid],
        [started!['spanId'], back.pid],
      ])
      const handlers = back.lines().filter(({ span }) => span === 'of the handler')
      expect(handlers.map(({ parent }) => parent)).toEqual(attempts.map(({ spanId }) => spanId))
    },
    90_000,
  )
})
